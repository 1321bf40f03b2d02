#include "sluice/base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace sluice {
namespace {

TEST(Random, same_seed_same_numbers) {
  Random first(42);
  Random second(42);
  Random other(43);
  for (int i = 0; i < 100; ++i) {
    const uint64_t number = first.next();
    EXPECT_EQ(number, second.next());
    EXPECT_NE(number, other.next());
  }
}

// The published test vector of SplitMix64 for seed 1234567.
TEST(Random, is_splitmix64) {
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317U);
  EXPECT_EQ(random.next(), 3203168211198807973U);
  EXPECT_EQ(random.next(), 9817491932198370423U);
}

TEST(Random, below_stays_below_and_is_even) {
  Random random(1);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) ++counts.at(random.below(counts.size()));
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
}

TEST(Random, below_nothing_is_zero) {
  Random random(1);
  EXPECT_EQ(random.below(0), 0U);
  EXPECT_EQ(random.below(1), 0U);
}

TEST(Random, below_takes_any_bound) {
  Random random(1);
  uint64_t most = 0;
  for (int i = 0; i < 1000; ++i) {
    most = std::max(most, random.below(std::numeric_limits<uint64_t>::max()));
  }
  EXPECT_GT(most, std::numeric_limits<uint64_t>::max() / 2);
}

TEST(Random, fraction_is_from_zero_to_below_one) {
  Random random(1);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double fraction = random.fraction();
    ASSERT_GE(fraction, 0.0);
    ASSERT_LT(fraction, 1.0);
    sum += fraction;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
}

TEST(Random, jitter_stays_within_its_percentage) {
  Random random(1);
  const Duration span = std::chrono::seconds(10);
  Duration least = span;
  Duration most = span;
  for (int i = 0; i < 10'000; ++i) {
    const Duration jittered = random.jittered(span, 10);
    least = std::min(least, jittered);
    most = std::max(most, jittered);
  }
  EXPECT_GE(least, std::chrono::seconds(9));
  EXPECT_LE(most, std::chrono::seconds(11));
  EXPECT_LT(least, std::chrono::milliseconds(9050));
  EXPECT_GT(most, std::chrono::milliseconds(10950));
}

TEST(Random, no_jitter_changes_nothing) {
  Random random(1);
  EXPECT_EQ(random.jittered(std::chrono::seconds(30), 0), std::chrono::seconds(30));
}

}  // namespace
}  // namespace sluice
