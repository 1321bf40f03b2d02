#include "sluice/core/probe_schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <deque>
#include <queue>
#include <utility>
#include <vector>

namespace sluice {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uint64_t kSeed = 7;
constexpr Duration kInterval = seconds(5);
constexpr double kJitter = 10;

class ProbeScheduleTest : public testing::Test {
 protected:
  // Of one slot: when its next probe is due, which it then begins.
  Duration next_gap(ProbeSlot& slot, Duration interval, double jitter) {
    schedule_.plan_next(slot, interval, jitter, now_);
    const Duration gap = schedule_.next_due().value() - now_;
    now_ += gap;
    EXPECT_EQ(schedule_.take_due(now_), &slot);
    return gap;
  }

  ProbeSlot& started() {
    ProbeSlot& slot = slots_.emplace_back(schedule_);
    schedule_.begin(slot, now_);
    EXPECT_EQ(schedule_.take_due(now_), &slot);
    return slot;
  }

  TimePoint now_{seconds(100)};
  ProbeSchedule schedule_{Random(kSeed)};
  std::deque<ProbeSlot> slots_;
};

TEST_F(ProbeScheduleTest, first_is_due_at_once_and_the_second_within_the_interval) {
  for (int i = 0; i < 100; ++i) {
    ProbeSlot& slot = started();
    EXPECT_EQ(schedule_.take_due(now_), nullptr) << "one at a time";
    schedule_.plan_next(slot, kInterval, 0, now_);
    EXPECT_LE(schedule_.next_due().value() - now_, kInterval);
    now_ += kInterval;
    EXPECT_EQ(schedule_.take_due(now_), &slot);
  }
}

TEST_F(ProbeScheduleTest, then_one_comes_every_interval_within_its_jitter) {
  ProbeSlot& slot = started();
  next_gap(slot, kInterval, kJitter);
  Duration least = kInterval * 2;
  Duration greatest{};
  for (int i = 0; i < 1000; ++i) {
    const Duration gap = next_gap(slot, kInterval, kJitter);
    least = std::min(least, gap);
    greatest = std::max(greatest, gap);
  }
  EXPECT_GE(least, milliseconds(4500));
  EXPECT_LE(greatest, milliseconds(5500));
  EXPECT_LT(least, milliseconds(4550)) << "seed " << kSeed;
  EXPECT_GT(greatest, milliseconds(5450)) << "seed " << kSeed;
}

// Each is some milliseconds late and takes its time; the thousandth is not seconds late.
TEST_F(ProbeScheduleTest, lateness_does_not_add_up) {
  ProbeSlot& slot = started();
  next_gap(slot, kInterval, 0);
  const TimePoint origin = now_;
  for (int i = 1; i <= 1000; ++i) {
    now_ += milliseconds(700);
    schedule_.plan_next(slot, kInterval, 0, now_);
    now_ = origin + i * kInterval + milliseconds(3);
    ASSERT_EQ(schedule_.take_due(origin + i * kInterval - microseconds(1)), nullptr);
    ASSERT_EQ(schedule_.take_due(now_), &slot);
  }
}

TEST_F(ProbeScheduleTest, what_was_missed_is_skipped_and_the_place_is_kept) {
  ProbeSlot& slot = started();
  next_gap(slot, kInterval, 0);
  const TimePoint origin = now_;
  now_ += milliseconds(12'300);
  schedule_.plan_next(slot, kInterval, 0, now_);
  EXPECT_EQ(schedule_.next_due(), origin + 3 * kInterval);
}

TEST_F(ProbeScheduleTest, who_is_due_first_goes_first) {
  for (int i = 0; i < 5; ++i) {
    schedule_.begin(slots_.emplace_back(schedule_), now_);
    now_ += milliseconds(1);
  }
  schedule_.begin(slots_.emplace_back(schedule_), now_ - milliseconds(1));
  for (ProbeSlot& slot : slots_) EXPECT_EQ(schedule_.take_due(now_), &slot);
  EXPECT_EQ(schedule_.take_due(now_), nullptr);
}

TEST_F(ProbeScheduleTest, hastening_brings_forward_and_never_back) {
  ProbeSlot& slot = started();
  next_gap(slot, kInterval, 0);
  schedule_.plan_next(slot, kInterval, 0, now_);
  schedule_.hasten(slot, seconds(1), 0, now_);
  EXPECT_EQ(schedule_.next_due(), now_ + seconds(1));
  schedule_.hasten(slot, seconds(3), 0, now_);
  EXPECT_EQ(schedule_.next_due(), now_ + seconds(1));
}

TEST_F(ProbeScheduleTest, hastening_does_not_plan_beside_a_probe_under_way) {
  ProbeSlot& slot = started();
  schedule_.hasten(slot, seconds(1), 0, now_);
  EXPECT_EQ(schedule_.next_due(), std::nullopt);
}

TEST_F(ProbeScheduleTest, slot_that_goes_leaves_the_schedule) {
  schedule_.begin(slots_.emplace_back(schedule_), now_);
  slots_.pop_back();
  EXPECT_EQ(schedule_.next_due(), std::nullopt);
  EXPECT_EQ(schedule_.take_due(now_ + kInterval), nullptr);
}

TEST(ProbeInterval, follows_from_how_things_stand) {
  struct Case {
    Health health;
    bool has_failed_last;
    BreakerState breaker;
    Duration quick, slow;  // with an unhealthy_interval of 1 s, and of 30 s
  };
  const Duration interval = seconds(5), quick = seconds(1), slow = seconds(30);
  using enum BreakerState;
  const std::vector<Case> cases = {
      {Health::healthy, false, closed, interval, interval},
      {Health::healthy, true, closed, quick, interval},
      {Health::healthy, false, open, quick, interval},
      {Health::healthy, false, half_open, quick, interval},
      {Health::unhealthy, true, closed, quick, slow},
      {Health::unhealthy, true, open, quick, slow},
      {Health::unhealthy, false, closed, quick, interval},
      {Health::unknown, false, closed, quick, interval},
  };
  for (const Case& each : cases) {
    const auto of = [&](Duration unhealthy) {
      return probe_interval({.healthy = interval, .unhealthy = unhealthy}, each.health,
                            each.has_failed_last, each.breaker);
    };
    EXPECT_EQ(of(quick), each.quick);
    EXPECT_EQ(of(slow), each.slow);
  }
}

// Twenty thousand probers on one loop, in made-up time: a turn begins a bounded number of probes,
// and each ends some time later.
class Crowd {
 public:
  static constexpr size_t kProbers = 20'000;
  static constexpr int kBeginsPerTurn = 32;
  static constexpr Duration kTurn = milliseconds(1);

  Crowd() {
    for (size_t i = 0; i < kProbers; ++i) {
      schedule_.begin(slots_.emplace_back(schedule_), now_);
      indices_.emplace_back(&slots_.back(), i);
    }
    std::sort(indices_.begin(), indices_.end());
    begun_.resize(kProbers);
  }

  void run(Duration span) {
    for (const TimePoint end = now_ + span; now_ < end; now_ += kTurn) turn();
  }
  void stand_still(Duration span) { now_ += span; }

  TimePoint now() const { return now_; }
  // When the probes of each went out.
  const std::vector<std::vector<TimePoint>>& begun() const { return begun_; }

 private:
  void turn() {
    for (; !under_way_.empty() && under_way_.top().first <= now_; under_way_.pop()) {
      schedule_.plan_next(slots_[under_way_.top().second], kInterval, kJitter, now_);
    }
    for (int i = 0; i < kBeginsPerTurn; ++i) {
      const ProbeSlot* slot = schedule_.take_due(now_);
      if (slot == nullptr) return;
      const auto found =
          std::lower_bound(indices_.begin(), indices_.end(), std::pair(slot, size_t{0}));
      begun_[found->second].push_back(now_);
      under_way_.emplace(now_ + microseconds(200 + random_.below(3000)), found->second);
    }
  }

  using End = std::pair<TimePoint, size_t>;

  TimePoint now_{seconds(1000)};
  Random random_{kSeed};
  ProbeSchedule schedule_{Random(kSeed + 1)};
  std::deque<ProbeSlot> slots_;
  std::vector<std::pair<const ProbeSlot*, size_t>> indices_;
  std::vector<std::vector<TimePoint>> begun_;
  std::priority_queue<End, std::vector<End>, std::greater<>> under_way_;
};

// The largest number of probes that went out within one hundredth of a second.
size_t busiest_hundredth(const Crowd& crowd, TimePoint from) {
  std::vector<size_t> hundredths(static_cast<size_t>((crowd.now() - from) / milliseconds(10)) + 1);
  for (const auto& times : crowd.begun()) {
    for (const TimePoint at : times) {
      if (at >= from) ++hundredths[static_cast<size_t>((at - from) / milliseconds(10))];
    }
  }
  return *std::max_element(hundredths.begin(), hundredths.end());
}

// By gaps between probes: how far they lie outside interval ± jitter.
Duration worst_lateness(const Crowd& crowd, TimePoint from) {
  const Duration slack = kInterval / 10;
  Duration worst{};
  for (const auto& times : crowd.begun()) {
    for (size_t i = 1; i < times.size(); ++i) {
      if (times[i - 1] < from) continue;
      const Duration gap = times[i] - times[i - 1];
      worst = std::max({worst, gap - kInterval - slack, kInterval - slack - gap});
    }
  }
  return worst;
}

// 40 are expected in each hundredth of a second; the bound is eight standard deviations above.
constexpr size_t kPerHundredthMax = 40 + 8 * 7;

TEST(ProbeScheduleScale, twenty_thousand_are_on_time_and_spread) {
  Crowd crowd;
  const TimePoint begin = crowd.now();
  crowd.run(seconds(60));
  const TimePoint first_wave_end =
      begin + (Crowd::kProbers / Crowd::kBeginsPerTurn + 1) * Crowd::kTurn;
  for (const auto& times : crowd.begun()) {
    ASSERT_LE(times.at(0), first_wave_end);
    ASSERT_LE(times.at(1) - times.at(0), milliseconds(5505));
    ASSERT_GE(times.size(), 11U) << "nobody starves";
    ASSERT_LE(times.size(), 15U);
  }
  const Duration late = worst_lateness(crowd, begin + kInterval + seconds(1));
  const size_t busiest = busiest_hundredth(crowd, begin + kInterval + seconds(2));
  std::printf("worst lateness %lld us, busiest hundredth %zu of 40 on average, seed %llu\n",
              static_cast<long long>(late / microseconds(1)), busiest,
              static_cast<unsigned long long>(kSeed));
  EXPECT_LE(late, milliseconds(5));
  EXPECT_LE(busiest, kPerHundredthMax);
}

// A debugger, a suspended machine: afterwards each goes once, and they are not in step.
TEST(ProbeScheduleScale, a_pause_makes_no_storms) {
  Crowd crowd;
  crowd.run(seconds(10));
  crowd.stand_still(seconds(17));
  const TimePoint end_of_pause = crowd.now();
  crowd.run(seconds(20));
  for (const auto& times : crowd.begun()) {
    const auto first = std::lower_bound(times.begin(), times.end(), end_of_pause);
    ASSERT_LE(times.end() - first, 6);
    ASSERT_GE(times.end() - first, 4);
  }
  EXPECT_LE(worst_lateness(crowd, end_of_pause + seconds(6)), milliseconds(5));
  // What went out late once was replanned while the wave was on; after it nothing is left of it.
  EXPECT_LE(busiest_hundredth(crowd, end_of_pause + seconds(1)), kPerHundredthMax + 20);
}

}  // namespace
}  // namespace sluice
