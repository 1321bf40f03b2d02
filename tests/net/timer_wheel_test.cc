#include "sluice/net/timer_wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <vector>

#include "sluice/base/random.h"
#include "waiting.h"

namespace sluice {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kTick = TimerWheel::kTick;

class TimerWheelTest : public testing::Test {
 protected:
  // Advances tick by tick, so that what is due is told on time.
  void advance_to(TimePoint until) {
    for (; now < until; now += kTick) wheel.advance(now);
    now = until;
    wheel.advance(now);
  }
  void advance_by(Duration span) { advance_to(now + span); }

  struct Told {
    TimerWheel::Entry* entry;
    TimePoint at;
  };

  Loop loop;
  TimePoint now = loop.now();  // from here on made up
  std::vector<Told> told;
  std::function<void(TimerWheel::Entry&)> on_due = [this](TimerWheel::Entry& entry) {
    told.push_back({&entry, now});
  };
  TimerWheel wheel{loop, [this](TimerWheel::Entry& entry) { on_due(entry); }};
};

TEST_F(TimerWheelTest, tells_once_never_early_and_at_most_a_tick_late) {
  for (const Duration span :
       {Duration(1), Duration(kTick - Duration(1)), kTick, kTick + Duration(1),
        Duration(seconds(3)), Duration(milliseconds(777))}) {
    TimerWheel::Entry entry;
    const TimePoint deadline = now + span;
    wheel.schedule(entry, deadline);
    EXPECT_TRUE(entry.is_scheduled());
    EXPECT_GE(entry.due(), deadline);
    for (int i = 0; told.empty() && i < 1000; ++i) advance_by(milliseconds(7));
    ASSERT_EQ(told.size(), 1U);
    EXPECT_GE(told[0].at, deadline);
    EXPECT_LE(told[0].at, deadline + kTick + milliseconds(7));
    EXPECT_FALSE(entry.is_scheduled());
    advance_by(seconds(5));
    EXPECT_EQ(told.size(), 1U);
    told.clear();
  }
}

TEST_F(TimerWheelTest, deadline_of_the_past_is_told_at_the_next_tick) {
  TimerWheel::Entry entry;
  wheel.schedule(entry, now - hours(1));
  EXPECT_TRUE(told.empty());
  advance_by(2 * kTick);
  EXPECT_EQ(told.size(), 1U);
}

TEST_F(TimerWheelTest, deadlines_of_later_rounds_wait_for_theirs) {
  TimerWheel::Entry near, far, farthest;
  const Duration round = kTick * static_cast<int>(TimerWheel::kSlots);
  // All three in the same slot.
  wheel.schedule(near, now + seconds(1));
  wheel.schedule(far, now + seconds(1) + round);
  wheel.schedule(farthest, now + seconds(1) + 3 * round);
  const TimePoint start = now;
  advance_by(seconds(2));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].entry, &near);
  advance_by(round);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1].entry, &far);
  EXPECT_GE(told[1].at, start + seconds(1) + round);
  advance_by(round);
  EXPECT_EQ(told.size(), 2U);
  advance_by(round);
  ASSERT_EQ(told.size(), 3U);
  EXPECT_GE(told[2].at, start + seconds(1) + 3 * round);
  EXPECT_LE(told[2].at, start + seconds(1) + 3 * round + 2 * kTick);
}

TEST_F(TimerWheelTest, long_stall_tells_everything_that_is_due_and_nothing_else) {
  std::vector<std::unique_ptr<TimerWheel::Entry>> entries;
  for (int i = 1; i <= 3000; ++i) {
    entries.push_back(std::make_unique<TimerWheel::Entry>());
    wheel.schedule(*entries.back(), now + kTick * i);
  }
  now += kTick * 2000;
  wheel.advance(now);
  EXPECT_NEAR(static_cast<double>(told.size()), 2000, 1);
  for (const auto& entry : entries) {
    EXPECT_EQ(entry->is_scheduled(), entry->due() > now);
  }
  now += hours(10);
  wheel.advance(now);
  EXPECT_EQ(told.size(), 3000U);
}

TEST_F(TimerWheelTest, rescheduling_moves_an_entry) {
  TimerWheel::Entry entry;
  wheel.schedule(entry, now + seconds(1));
  wheel.schedule(entry, now + seconds(3));
  advance_by(seconds(2));
  EXPECT_TRUE(told.empty());
  wheel.schedule(entry, now + milliseconds(200));
  advance_by(milliseconds(400));
  EXPECT_EQ(told.size(), 1U);
}

TEST_F(TimerWheelTest, cancelled_or_destroyed_entries_are_not_told) {
  TimerWheel::Entry cancelled;
  wheel.schedule(cancelled, now + seconds(1));
  wheel.cancel(cancelled);
  wheel.cancel(cancelled);
  {
    TimerWheel::Entry destroyed;
    wheel.schedule(destroyed, now + seconds(1));
  }
  advance_by(seconds(2));
  EXPECT_TRUE(told.empty());
}

TEST_F(TimerWheelTest, callback_may_reschedule_cancel_and_destroy_any_entry) {
  TimerWheel::Entry first, second, later;
  auto third = std::make_unique<TimerWheel::Entry>();
  const TimePoint deadline = now + seconds(1);
  wheel.schedule(first, deadline);
  wheel.schedule(second, deadline);
  wheel.schedule(*third, deadline);
  wheel.schedule(later, deadline + seconds(1));
  on_due = [&](TimerWheel::Entry& entry) {
    told.push_back({&entry, now});
    if (&entry != &first || told.size() > 1) return;
    wheel.cancel(second);
    third.reset();
    wheel.schedule(first, now);  // again, at the next tick, not in this very turn
    wheel.schedule(later, now + seconds(5));
  };
  advance_by(seconds(1) + kTick);
  ASSERT_GE(told.size(), 1U);
  EXPECT_EQ(told[0].entry, &first);
  advance_by(seconds(3));
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1].entry, &first);
  EXPECT_GT(told[1].at, told[0].at);
  advance_by(seconds(3));
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[2].entry, &later);
}

TEST_F(TimerWheelTest, an_entry_that_reschedules_itself_for_ever_ends_no_turn_late) {
  TimerWheel::Entry entry;
  on_due = [&](TimerWheel::Entry& due) {
    told.push_back({&due, now});
    wheel.schedule(due, now);
  };
  wheel.schedule(entry, now);
  now += seconds(100);
  wheel.advance(now);
  EXPECT_EQ(told.size(), 1U) << "once for a turn of the loop, however long the stall";
}

TEST_F(TimerWheelTest, random_schedules_agree_with_a_sorted_list) {
  constexpr uint64_t kSeed = 20'250'101;
  SCOPED_TRACE(kSeed);
  Random random(kSeed);
  constexpr size_t kEntries = 300;
  std::vector<TimerWheel::Entry> entries(kEntries);
  std::map<const TimerWheel::Entry*, TimePoint> expected;
  on_due = [&](TimerWheel::Entry& entry) {
    const auto found = expected.find(&entry);
    ASSERT_NE(found, expected.end()) << "told, but not scheduled";
    EXPECT_GE(now, found->second) << "early";
    expected.erase(found);
    if (random.below(2) == 0) return;
    TimerWheel::Entry& other = entries[random.below(kEntries)];
    const TimePoint deadline = now + milliseconds(random.below(300'000));
    wheel.schedule(other, deadline);
    expected[&other] = deadline;
  };
  for (int step = 0; step < 20'000; ++step) {
    TimerWheel::Entry& entry = entries[random.below(kEntries)];
    if (random.below(4) == 0) {
      wheel.cancel(entry);
      expected.erase(&entry);
    } else {
      const TimePoint deadline = now + milliseconds(random.below(300'000));
      wheel.schedule(entry, deadline);
      expected[&entry] = deadline;
    }
    now += milliseconds(random.below(random.below(200) == 0 ? 400'000 : 250));
    wheel.advance(now);
    for (const auto& [late, deadline] : expected) {
      ASSERT_GT(deadline + kTick, now) << "more than a tick late in step " << step;
    }
  }
}

TEST_F(TimerWheelTest, loop_runs_it_by_itself_and_is_free_of_it_in_between) {
  std::vector<Duration> late;
  TimerWheel::Entry soon, later;
  const TimePoint start = loop.now();
  std::map<TimerWheel::Entry*, TimePoint> deadlines;
  on_due = [&](TimerWheel::Entry& entry) { late.push_back(loop.now() - deadlines[&entry]); };
  deadlines[&later] = start + milliseconds(430);
  wheel.schedule(later, deadlines[&later]);
  deadlines[&soon] = start + milliseconds(120);
  wheel.schedule(soon, deadlines[&soon]);
  ASSERT_TRUE(run_until(loop, [&] { return late.size() == 2; }));
  for (const Duration lateness : late) {
    EXPECT_GE(lateness, Duration(0));
    EXPECT_LT(lateness, kTick + seconds(1)) << "a tick, and a busy machine's delay";
  }
  // Nothing scheduled: a loop with nothing else on it has nothing to wait for.
  EXPECT_EQ(uv_run(loop.raw(), UV_RUN_DEFAULT), 0);
}

TEST_F(TimerWheelTest, is_on_time_after_it_was_idle_for_longer_than_a_round) {
  // As if the last deadline had been a round and more ago.
  TimerWheel::Entry entry;
  const Duration idle = 3 * kTick * static_cast<int>(TimerWheel::kSlots);
  now += idle;
  wheel.schedule(entry, now + seconds(1));
  wheel.advance(now);
  EXPECT_TRUE(told.empty());
  advance_by(seconds(1) + kTick);
  EXPECT_EQ(told.size(), 1U);
}

}  // namespace
}  // namespace sluice
