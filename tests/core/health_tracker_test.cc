#include "sluice/core/health_tracker.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using std::chrono::seconds;

class HealthTrackerTest : public ::testing::Test {
 protected:
  std::optional<HealthChange> pass() { return tracker.record(true, thresholds); }
  std::optional<HealthChange> fail() { return tracker.record(false, thresholds); }
  bool earns(bool passed, TimePoint began_at) {
    return tracker.earns_early_trial(passed, began_at, opening, thresholds);
  }

  HealthThresholds thresholds;
  HealthTracker tracker;
  BreakerOpening opening{
      .generation = 1, .opened_at = TimePoint(seconds(100)), .reopens_at = TimePoint(seconds(130))};
};

TEST_F(HealthTrackerTest, unknown_until_the_first_probe) {
  EXPECT_EQ(tracker.health(), Health::unknown);
}

TEST_F(HealthTrackerTest, first_probe_that_passes_decides_alone) {
  const auto change = pass();
  ASSERT_TRUE(change);
  EXPECT_EQ(change->from, Health::unknown);
  EXPECT_EQ(change->to, Health::healthy);
}

TEST_F(HealthTrackerTest, first_probe_that_fails_decides_alone) {
  const auto change = fail();
  ASSERT_TRUE(change);
  EXPECT_EQ(change->from, Health::unknown);
  EXPECT_EQ(change->to, Health::unhealthy);
}

TEST_F(HealthTrackerTest, healthy_needs_the_threshold_of_failures_in_a_row) {
  pass();
  EXPECT_FALSE(fail());
  EXPECT_FALSE(fail());
  EXPECT_FALSE(pass());
  EXPECT_FALSE(fail());
  EXPECT_FALSE(fail());
  const auto change = fail();
  ASSERT_TRUE(change);
  EXPECT_EQ(change->to, Health::unhealthy);
  EXPECT_EQ(change->probes_in_row, 3U);
}

TEST_F(HealthTrackerTest, unhealthy_needs_the_threshold_of_passes_in_a_row) {
  fail();
  EXPECT_FALSE(pass());
  EXPECT_FALSE(fail());
  EXPECT_FALSE(pass());
  const auto change = pass();
  ASSERT_TRUE(change);
  EXPECT_EQ(change->to, Health::healthy);
  EXPECT_EQ(change->probes_in_row, 2U);
}

TEST_F(HealthTrackerTest, change_is_reported_once) {
  pass();
  EXPECT_FALSE(pass());
  EXPECT_FALSE(pass());
}

TEST_F(HealthTrackerTest, reset_makes_it_unknown_again) {
  fail();
  const auto change = tracker.reset();
  ASSERT_TRUE(change);
  EXPECT_EQ(change->to, Health::unknown);
  EXPECT_FALSE(tracker.reset());
  EXPECT_EQ(pass()->to, Health::healthy);
}

TEST_F(HealthTrackerTest, early_trial_is_earned_by_probes_that_began_after_the_opening) {
  EXPECT_FALSE(earns(true, TimePoint(seconds(101))));
  EXPECT_TRUE(earns(true, TimePoint(seconds(102))));
}

TEST_F(HealthTrackerTest, probe_that_began_before_the_opening_earns_nothing) {
  EXPECT_FALSE(earns(true, TimePoint(seconds(99))));
  EXPECT_FALSE(earns(true, TimePoint(seconds(100))));
  EXPECT_FALSE(earns(true, TimePoint(seconds(101))));
  EXPECT_TRUE(earns(true, TimePoint(seconds(102))));
}

TEST_F(HealthTrackerTest, failed_probe_starts_the_row_again) {
  EXPECT_FALSE(earns(true, TimePoint(seconds(101))));
  EXPECT_FALSE(earns(false, TimePoint(seconds(102))));
  EXPECT_FALSE(earns(true, TimePoint(seconds(103))));
  EXPECT_TRUE(earns(true, TimePoint(seconds(104))));
}

TEST_F(HealthTrackerTest, new_opening_starts_the_row_again) {
  EXPECT_FALSE(earns(true, TimePoint(seconds(101))));
  opening = {
      .generation = 4, .opened_at = TimePoint(seconds(102)), .reopens_at = TimePoint(seconds(162))};
  EXPECT_FALSE(earns(true, TimePoint(seconds(103))));
  EXPECT_TRUE(earns(true, TimePoint(seconds(104))));
}

TEST_F(HealthTrackerTest, one_probe_earns_the_trial_where_one_makes_healthy) {
  thresholds.healthy = 1;
  EXPECT_TRUE(earns(true, TimePoint(seconds(101))));
}

}  // namespace
}  // namespace sluice
