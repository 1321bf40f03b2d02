#include "sluice/core/outlier_detector.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr uint32_t kThreshold = 5;

class OutlierDetectorTest : public ::testing::Test {
 protected:
  std::optional<Ejection> record(ConnectOutcome outcome, uint32_t threshold = kThreshold) {
    return detector.record(permit, outcome, threshold);
  }
  void fail_times(uint32_t times) {
    for (uint32_t i = 0; i < times; ++i) EXPECT_FALSE(record(ConnectOutcome::refused));
  }

  Permit permit{.generation = 3, .is_trial = false};
  OutlierDetector detector;
};

TEST_F(OutlierDetectorTest, proposes_on_exactly_the_threshold_th_failure_in_a_row) {
  fail_times(kThreshold - 1);
  const auto ejection = record(ConnectOutcome::refused);
  ASSERT_TRUE(ejection);
  EXPECT_EQ(ejection->generation, permit.generation);
  EXPECT_EQ(ejection->consecutive_failures, kThreshold);
}

TEST_F(OutlierDetectorTest, every_backend_failure_counts) {
  for (const auto outcome :
       {ConnectOutcome::refused, ConnectOutcome::timeout, ConnectOutcome::unreachable,
        ConnectOutcome::reset, ConnectOutcome::self_connect}) {
    const uint32_t before = detector.consecutive_failures();
    record(outcome);
    EXPECT_EQ(detector.consecutive_failures(), before + 1) << name(outcome);
  }
}

TEST_F(OutlierDetectorTest, success_sets_the_count_to_zero) {
  fail_times(kThreshold - 1);
  EXPECT_FALSE(record(ConnectOutcome::connected));
  EXPECT_EQ(detector.consecutive_failures(), 0U);
  fail_times(kThreshold - 1);
}

TEST_F(OutlierDetectorTest, our_own_shortage_is_never_blamed_on_the_backend) {
  fail_times(kThreshold - 1);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(record(ConnectOutcome::local_error));
  EXPECT_EQ(detector.consecutive_failures(), kThreshold - 1);
}

TEST_F(OutlierDetectorTest, abandoned_connect_says_nothing) {
  fail_times(kThreshold - 1);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(record(ConnectOutcome::abandoned));
  EXPECT_EQ(detector.consecutive_failures(), kThreshold - 1);
}

TEST_F(OutlierDetectorTest, count_above_a_lowered_threshold_proposes_at_the_next_failure) {
  fail_times(4);
  const auto ejection = record(ConnectOutcome::timeout, 2);
  ASSERT_TRUE(ejection);
  EXPECT_EQ(ejection->consecutive_failures, 5U);
}

TEST_F(OutlierDetectorTest, proposal_that_was_not_taken_is_made_again) {
  fail_times(kThreshold - 1);
  EXPECT_TRUE(record(ConnectOutcome::refused));
  EXPECT_TRUE(record(ConnectOutcome::refused));
}

TEST_F(OutlierDetectorTest, outcome_of_an_older_generation_neither_adds_nor_resets) {
  fail_times(2);
  const Permit older{.generation = 2, .is_trial = false};
  EXPECT_FALSE(detector.record(older, ConnectOutcome::refused, 1));
  EXPECT_FALSE(detector.record(older, ConnectOutcome::connected, 1));
  EXPECT_EQ(detector.consecutive_failures(), 2U);
}

TEST_F(OutlierDetectorTest, newer_generation_starts_from_zero) {
  fail_times(kThreshold - 1);
  permit.generation = 5;
  fail_times(kThreshold - 1);
  EXPECT_TRUE(record(ConnectOutcome::refused));
}

TEST_F(OutlierDetectorTest, begun_generation_has_no_failures) {
  fail_times(4);
  detector.begin_generation(9);
  EXPECT_EQ(detector.consecutive_failures(), 0U);
  EXPECT_FALSE(record(ConnectOutcome::refused, 1));
}

TEST_F(OutlierDetectorTest, generations_may_wrap) {
  permit.generation = 0xFFFF'FFFE;
  detector.begin_generation(permit.generation);
  fail_times(2);
  permit.generation = 1;
  EXPECT_FALSE(record(ConnectOutcome::refused));
  EXPECT_EQ(detector.consecutive_failures(), 1U);
}

}  // namespace
}  // namespace sluice
