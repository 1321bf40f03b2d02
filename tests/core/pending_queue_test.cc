// Who waits for a place is called in the order of coming, and nobody waits while a place is free.
#include "sluice/core/pending_queue.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice {
namespace {

using Ticket = PendingQueue::Ticket;

class PendingQueueTest : public ::testing::Test {
 protected:
  static constexpr size_t kMany = 100;

  Ticket enter() { return queue.enter(call, kMany)->ticket; }
  // One that has come, tried in vain, and waits to be called.
  Ticket resting() {
    const auto entry = queue.enter(call, kMany);
    if (entry->is_its_turn) {
      EXPECT_TRUE(queue.rest(entry->ticket, queue.calls()));
    }
    return entry->ticket;
  }

  PendingQueue queue;
  std::vector<Ticket> called;
  PendingQueue::Call call = [this](Ticket ticket) { called.push_back(ticket); };
};

TEST_F(PendingQueueTest, first_come_is_first_called) {
  const Ticket first = resting(), second = resting(), third = resting();
  queue.call_next();
  EXPECT_EQ(called, std::vector{first});
  queue.leave(first);
  queue.leave(second);
  EXPECT_EQ(called, (std::vector{first, second, third}));
}

TEST_F(PendingQueueTest, no_more_wait_than_there_is_room_for) {
  ASSERT_TRUE(queue.enter(call, 2));
  const auto second = queue.enter(call, 2);
  ASSERT_TRUE(second);
  EXPECT_FALSE(queue.enter(call, 2));
  EXPECT_EQ(queue.waiting(), 2U);
  queue.leave(second->ticket);
  EXPECT_TRUE(queue.enter(call, 2)) << "who has left makes room";
}

TEST_F(PendingQueueTest, nobody_waits_where_there_is_no_room) {
  EXPECT_FALSE(queue.enter(call, 0));
  EXPECT_EQ(queue.waiting(), 0U);
}

TEST_F(PendingQueueTest, bound_that_was_lowered_turns_nobody_out) {
  const Ticket first = resting(), second = resting();
  EXPECT_FALSE(queue.enter(call, 1));
  queue.leave(first);
  EXPECT_EQ(called, std::vector{second});
}

// The other half of the lost wake-up: it saw somebody waiting, who had left before it came.
TEST_F(PendingQueueTest, it_is_at_once_the_turn_of_who_finds_nobody_waiting) {
  const auto first = queue.enter(call, kMany);
  EXPECT_TRUE(first->is_its_turn);
  EXPECT_FALSE(queue.enter(call, kMany)->is_its_turn) << "the first one's leaving will call it";
  queue.call_next();
  EXPECT_TRUE(called.empty()) << "it tries already";
  EXPECT_FALSE(queue.rest(first->ticket, 0)) << "but must try again";
}

TEST_F(PendingQueueTest, waiter_is_called_once_until_it_rests) {
  const Ticket first = resting();
  for (int i = 0; i < 3; ++i) queue.call_next();
  EXPECT_EQ(called, std::vector{first});
  EXPECT_TRUE(queue.rest(first, queue.calls()));
  queue.call_next();
  EXPECT_EQ(called, (std::vector{first, first}));
}

TEST_F(PendingQueueTest, rest_is_refused_after_a_call_that_was_missed) {
  const Ticket first = resting();
  queue.call_next();
  const uint64_t calls = queue.calls();
  queue.call_next();
  EXPECT_FALSE(queue.rest(first, calls));
  EXPECT_TRUE(queue.rest(first, queue.calls())) << "its next try has seen all there is";
}

TEST_F(PendingQueueTest, one_that_tried_in_vain_is_still_the_first) {
  const Ticket first = resting();
  const Ticket second = resting();
  queue.call_next();
  ASSERT_TRUE(queue.rest(first, queue.calls()));
  queue.call_next();
  EXPECT_EQ(called, (std::vector{first, first}));
  EXPECT_NE(called.back(), second);
}

TEST_F(PendingQueueTest, called_waiter_that_leaves_passes_the_call_on) {
  const Ticket first = resting(), second = resting();
  queue.call_next();
  queue.leave(first);
  EXPECT_EQ(called, (std::vector{first, second}));
}

TEST_F(PendingQueueTest, one_in_the_middle_may_leave) {
  const Ticket first = resting(), second = resting(), third = resting();
  queue.leave(second);
  queue.leave(first);
  EXPECT_EQ(called, (std::vector{first, third}));
  EXPECT_EQ(queue.waiting(), 1U);
}

TEST_F(PendingQueueTest, leaving_an_empty_queue_calls_nobody) {
  queue.leave(enter());
  queue.call_next();
  EXPECT_TRUE(called.empty());
  EXPECT_EQ(queue.waiting(), 0U);
}

}  // namespace
}  // namespace sluice
