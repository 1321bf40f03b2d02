#include "sluice/proxy/worker_notices.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using std::chrono::milliseconds;
using Kind = WorkerNotice::Kind;

class WorkerNoticesTest : public testing::Test {
 protected:
  uint64_t note(std::string_view listener = "a", std::string_view why = "why",
                Kind kind = Kind::accept_paused) {
    const auto notice = notices.note(kind, listener, why, now);
    return notice ? notice->times : 0;
  }

  WorkerNotices notices;
  TimePoint now{milliseconds(5000)};
};

TEST_F(WorkerNoticesTest, the_first_of_each_cause_is_handed_on_at_once) {
  EXPECT_EQ(note("a"), 1U);
  EXPECT_EQ(note("b"), 1U) << "one listener does not hide another";
  EXPECT_EQ(note("a", "another"), 1U);
  EXPECT_EQ(note("a", "why", Kind::local_error), 1U);
  EXPECT_FALSE(notices.has_counted());
}

TEST_F(WorkerNoticesTest, later_ones_are_counted_and_handed_on_once_a_second) {
  EXPECT_EQ(note(), 1U);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(note(), 0U);
  EXPECT_TRUE(notices.has_counted());
  now += milliseconds(999);
  EXPECT_TRUE(notices.take_due(now).empty());
  now += milliseconds(1);
  EXPECT_EQ(note(), 11U);
  EXPECT_FALSE(notices.has_counted());
}

TEST_F(WorkerNoticesTest, what_is_counted_comes_though_no_other_follows) {
  note();
  note();
  note();
  now += milliseconds(1000);
  const auto due = notices.take_due(now);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].times, 2U);
  EXPECT_EQ(due[0].listener, "a");
  EXPECT_EQ(due[0].why, "why");
  EXPECT_TRUE(notices.take_due(now + milliseconds(5000)).empty());
}

TEST_F(WorkerNoticesTest, causes_are_bounded) {
  for (size_t i = 0; i < 10 * WorkerNotices::kCausesMax; ++i) {
    EXPECT_EQ(note(std::to_string(i)), 1U);
    note(std::to_string(i));
  }
  EXPECT_LE(notices.take_due(now + milliseconds(1000)).size(), WorkerNotices::kCausesMax);
}

}  // namespace
}  // namespace sluice
