#include "maelstrom/agenda.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace sluice {
namespace {

TimePoint at(int second) { return TimePoint(std::chrono::seconds(second)); }

class AgendaTest : public testing::Test {
 protected:
  Agenda::Place note(int second, char what) {
    return agenda.add(at(second), [this, what](TimePoint) { done += what; });
  }

  Agenda agenda;
  std::string done;
};

TEST_F(AgendaTest, what_is_due_is_done_in_the_order_of_times_and_then_of_coming) {
  note(3, 'd');
  note(1, 'a');
  note(2, 'b');
  note(2, 'c');
  note(9, 'x');
  agenda.run_due(at(3));
  EXPECT_EQ(done, "abcd");
  EXPECT_EQ(agenda.next(), at(9));
}

TEST_F(AgendaTest, what_is_cancelled_is_not_done) {
  const Agenda::Place place = note(1, 'a');
  note(1, 'b');
  agenda.cancel(place);
  agenda.cancel(place);
  agenda.run_due(at(1));
  EXPECT_EQ(done, "b");
  EXPECT_EQ(agenda.next(), std::nullopt);
}

TEST_F(AgendaTest, a_task_may_add_and_cancel_others) {
  const Agenda::Place cancelled = note(2, 'x');
  agenda.add(at(1), [this, cancelled](TimePoint now) {
    done += 'a';
    agenda.cancel(cancelled);
    agenda.add(now, [this](TimePoint) { done += 'b'; });
  });
  note(3, 'c');
  agenda.run_due(at(2));
  EXPECT_EQ(done, "ab");
}

}  // namespace
}  // namespace sluice
