// One metric with its series, as the Prometheus library wants to have it: the family's name, kind
// and help, and a value for each set of labels.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

// A row of a table: what a metric is called and what it means, in one sentence.
struct MetricKind {
  const char* name;
  prometheus::MetricType type;
  const char* help;
};

using MetricFamilies = std::vector<prometheus::MetricFamily>;

// By what the numbers that were counted are divided to be in the metric's unit.
enum class MetricUnit : uint16_t { same = 1, milliseconds = 1000 };

class MetricFamily {
 public:
  struct Label {
    const char* name;
    std::string_view value;
  };
  using Labels = std::initializer_list<Label>;

  explicit MetricFamily(const MetricKind& kind);

  // Of a counter or a gauge.
  void add(Labels labels, double value);
  void add(Labels labels, uint64_t value) { add(labels, static_cast<double>(value)); }
  void add(Labels labels, uint32_t value) { add(labels, static_cast<double>(value)); }
  // Of a histogram: `counts` has one more than `bounds`, for what is above them.
  void add(Labels labels, std::span<const uint64_t> bounds, std::span<const uint64_t> counts,
           uint64_t sum, MetricUnit unit);

  void add_to(MetricFamilies& families) && { families.push_back(std::move(family_)); }

 private:
  prometheus::ClientMetric& series(Labels labels);

  prometheus::MetricFamily family_;
};

}  // namespace sluice
