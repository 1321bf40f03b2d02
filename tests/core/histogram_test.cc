// Where values are counted, and what is read off the buckets.
#include "sluice/core/histogram.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr std::array<uint64_t, 3> kBounds{10, 20, 100};
using Tens = Histogram<kBounds>;

TEST(Histogram, a_value_at_a_bound_is_below_it_and_one_above_all_is_in_the_last_bucket) {
  Tens tens;
  for (const uint64_t value : {0U, 10U, 11U, 20U, 100U, 101U, 1'000'000U}) tens.add(value);
  Tens::Reading reading;
  tens.add_to(reading);
  EXPECT_EQ(reading.counts, (std::array<uint64_t, 4>{2, 2, 1, 2}));
  EXPECT_EQ(reading.sum, 1'000'242U);
  EXPECT_EQ(reading.total(), 7U);
}

TEST(Histogram, readings_of_several_add_up) {
  Tens one, other;
  one.add(5);
  other.add(5);
  other.add(15);
  Tens::Reading reading;
  one.add_to(reading);
  other.add_to(reading);
  EXPECT_EQ(reading.counts, (std::array<uint64_t, 4>{2, 1, 0, 0}));
  EXPECT_EQ(reading.sum, 25U);
}

std::optional<double> quantile_of(std::array<uint64_t, 4> counts, double part) {
  return quantile(kBounds, counts, part);
}

TEST(Quantile, values_are_taken_for_evenly_spread_within_a_bucket) {
  EXPECT_EQ(quantile_of({4, 0, 0, 0}, 0.5), 5);
  EXPECT_EQ(quantile_of({0, 4, 0, 0}, 0.5), 15);
  EXPECT_EQ(quantile_of({1, 1, 2, 0}, 0.5), 20);
  EXPECT_EQ(quantile_of({98, 0, 2, 0}, 0.99), 60);
}

TEST(Quantile, what_is_above_all_bounds_counts_as_the_last) {
  EXPECT_EQ(quantile_of({0, 0, 0, 3}, 0.5), 100);
  EXPECT_EQ(quantile_of({1, 0, 0, 3}, 0.99), 100);
}

TEST(Quantile, of_nothing_there_is_none) { EXPECT_EQ(quantile_of({}, 0.5), std::nullopt); }

}  // namespace
}  // namespace sluice
