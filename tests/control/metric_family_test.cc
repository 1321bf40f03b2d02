// What Prometheus reads: the text that comes out for what was added.
#include "metrics/metric_family.h"

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <array>

namespace sluice {
namespace {

using prometheus::MetricType;

std::string text_of(MetricFamily&& family) {
  MetricFamilies families;
  std::move(family).add_to(families);
  return prometheus::TextSerializer().Serialize(families);
}

TEST(MetricFamilyTest, a_counter_is_written_to_its_last_digit) {
  MetricFamily family({"sluice_bytes_total", MetricType::Counter, "Bytes."});
  family.add({{"direction", "sent"}}, uint64_t{9'007'199'254'740'991});
  family.add({{"direction", "received"}}, uint64_t{0});
  EXPECT_EQ(text_of(std::move(family)),
            "# HELP sluice_bytes_total Bytes.\n"
            "# TYPE sluice_bytes_total counter\n"
            "sluice_bytes_total{direction=\"sent\"} 9007199254740991\n"
            "sluice_bytes_total{direction=\"received\"} 0\n");
}

TEST(MetricFamilyTest, a_label_value_is_escaped_and_utf8_is_left_alone) {
  MetricFamily family({"sluice_breaker_state", MetricType::Gauge, "State."});
  family.add({{"backend", "a\"b\\c\nd é世"}}, uint32_t{2});
  EXPECT_EQ(text_of(std::move(family)),
            "# HELP sluice_breaker_state State.\n"
            "# TYPE sluice_breaker_state gauge\n"
            "sluice_breaker_state{backend=\"a\\\"b\\\\c\\nd é世\"} 2\n");
}

TEST(MetricFamilyTest, a_histogram_is_cumulative_in_its_unit_and_ends_with_its_count) {
  constexpr std::array<uint64_t, 3> kBounds{1, 50, 2000};
  constexpr std::array<uint64_t, 4> kCounts{3, 0, 4, 1};
  MetricFamily family({"sluice_wait_seconds", MetricType::Histogram, "Wait."});
  family.add({{"cluster", "web"}}, kBounds, kCounts, 12'345, MetricUnit::milliseconds);
  EXPECT_EQ(text_of(std::move(family)),
            "# HELP sluice_wait_seconds Wait.\n"
            "# TYPE sluice_wait_seconds histogram\n"
            "sluice_wait_seconds_count{cluster=\"web\"} 8\n"
            "sluice_wait_seconds_sum{cluster=\"web\"} 12.345\n"
            "sluice_wait_seconds_bucket{cluster=\"web\",le=\"0.001\"} 3\n"
            "sluice_wait_seconds_bucket{cluster=\"web\",le=\"0.05\"} 3\n"
            "sluice_wait_seconds_bucket{cluster=\"web\",le=\"2\"} 7\n"
            "sluice_wait_seconds_bucket{cluster=\"web\",le=\"+Inf\"} 8\n");
}

}  // namespace
}  // namespace sluice
