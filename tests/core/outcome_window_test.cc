#include "sluice/core/outcome_window.h"

#include "support.h"

namespace sluice {
namespace {

using Outcome = OutcomeWindow::Outcome;

constexpr Duration kWindow = seconds(32);
constexpr Duration kBucket = seconds(2);
// kStart is a whole number of buckets.
static_assert(kStart.time_since_epoch() % kWindow == Duration::zero());

class OutcomeWindowTest : public ::testing::Test {
 protected:
  OutcomeWindowTest() { window.set_length(kWindow); }

  void add(uint32_t successes, uint32_t failures, TimePoint at) {
    for (uint32_t i = 0; i < successes; ++i) window.add(Outcome::success, at);
    for (uint32_t i = 0; i < failures; ++i) window.add(Outcome::failure, at);
  }
  void expect(uint32_t successes, uint32_t failures, TimePoint at) {
    const OutcomeCounts sum = window.sum_up(at);
    EXPECT_EQ(sum.successes, successes) << to_ms(at - kStart) << " ms";
    EXPECT_EQ(sum.failures, failures) << to_ms(at - kStart) << " ms";
  }

  OutcomeWindow window;
};

TEST_F(OutcomeWindowTest, new_one_is_empty) { expect(0, 0, kStart); }

TEST_F(OutcomeWindowTest, outcome_counts_at_once) {
  add(3, 2, kStart);
  expect(3, 2, kStart);
}

TEST_F(OutcomeWindowTest, bucket_leaves_exactly_one_window_after_it_began) {
  add(1, 0, kStart);
  add(0, 1, kStart + kBucket - Duration(1));
  expect(1, 1, kStart + kWindow - Duration(1));
  expect(0, 0, kStart + kWindow);
}

TEST_F(OutcomeWindowTest, buckets_leave_one_after_another) {
  for (int i = 0; i < 16; ++i) add(1, 2, kStart + i * kBucket);
  for (uint32_t i = 0; i < 16; ++i) {
    expect(16 - i, 32 - 2 * i, kStart + kWindow + i * kBucket - Duration(1));
  }
  expect(0, 0, kStart + 2 * kWindow - kBucket);
}

TEST_F(OutcomeWindowTest, place_in_the_ring_is_used_again_for_the_next_lap) {
  add(5, 5, kStart);
  add(1, 0, kStart + kWindow);
  expect(1, 0, kStart + kWindow);
}

TEST_F(OutcomeWindowTest, clock_that_is_a_little_behind_still_adds) {
  add(1, 0, kStart + kBucket);
  add(1, 0, kStart + kBucket - Duration(1));
  expect(2, 0, kStart + kBucket);
}

TEST_F(OutcomeWindowTest, outcome_a_whole_lap_late_is_dropped) {
  add(1, 0, kStart + kWindow);
  add(0, 1, kStart);
  expect(1, 0, kStart + kWindow);
}

TEST_F(OutcomeWindowTest, reader_whose_clock_is_behind_loses_nothing) {
  add(1, 0, kStart + kBucket);
  expect(0, 0, kStart);
  expect(1, 0, kStart + kBucket);
}

// Laps are kept modulo 2^24: without the sweep a bucket would be taken for one of 2^24 windows
// later.
TEST_F(OutcomeWindowTest, wrapped_lap_is_not_taken_for_the_present_one) {
  add(0, 7, kStart);
  const Duration wrap = kWindow * (1 << 24);
  expect(0, 0, kStart + kWindow);
  expect(0, 0, kStart + wrap);
  add(0, 7, kStart);
  expect(0, 7, kStart + wrap);  // the control: nobody has swept in 17 years
}

TEST_F(OutcomeWindowTest, laps_wrap_in_between_without_losing_anything) {
  const auto last_lap = TimePoint(kWindow * ((1 << 24) - 1) + kBucket * 8);
  add(1, 0, last_lap);
  add(1, 0, last_lap + kBucket * 8);
  expect(2, 0, last_lap + kBucket * 8);
  add(1, 0, last_lap + kWindow);
  expect(2, 0, last_lap + kWindow);
}

TEST_F(OutcomeWindowTest, full_bucket_keeps_the_share) {
  const uint32_t each = OutcomeWindow::kCountMax;
  add(each, each / 4, kStart);
  const OutcomeCounts full = window.sum_up(kStart);
  EXPECT_EQ(full.successes, each);
  add(each, each / 4, kStart);
  const OutcomeCounts sum = window.sum_up(kStart);
  EXPECT_GE(sum.volume(), each / 2);
  EXPECT_NEAR(static_cast<double>(sum.failures) / sum.volume(), 0.2, 0.1);
}

TEST_F(OutcomeWindowTest, length_that_no_bucket_divides_is_rounded_up) {
  window.set_length(Duration(1'000'001));  // a bucket of 62,501 ns
  const auto begin = TimePoint(Duration(62'501 * 1600));
  add(1, 0, begin);
  expect(1, 0, begin + Duration(62'501 * 16 - 1));
  expect(0, 0, begin + Duration(62'501 * 16));
}

TEST_F(OutcomeWindowTest, another_length_forgets_and_the_same_does_not) {
  add(1, 1, kStart);
  window.set_length(kWindow);
  expect(1, 1, kStart);
  window.set_length(kWindow * 2);
  expect(0, 0, kStart);
  add(1, 0, kStart);
  expect(1, 0, kStart + kWindow);
}

}  // namespace
}  // namespace sluice
