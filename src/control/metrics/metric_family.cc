#include "metric_family.h"

namespace sluice {

MetricFamily::MetricFamily(const MetricKind& kind)
    : family_{.name = kind.name, .help = kind.help, .type = kind.type, .metric = {}} {}

prometheus::ClientMetric& MetricFamily::series(Labels labels) {
  prometheus::ClientMetric& metric = family_.metric.emplace_back();
  metric.label.reserve(labels.size());
  for (const Label& label : labels) metric.label.push_back({label.name, std::string(label.value)});
  return metric;
}

void MetricFamily::add(Labels labels, double value) {
  prometheus::ClientMetric& metric = series(labels);
  if (family_.type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

void MetricFamily::add(Labels labels, std::span<const uint64_t> bounds,
                       std::span<const uint64_t> counts, uint64_t sum, MetricUnit unit) {
  const auto divisor = static_cast<double>(unit);
  prometheus::ClientMetric::Histogram& histogram = series(labels).histogram;
  histogram.bucket.reserve(bounds.size());
  uint64_t cumulative = 0;
  for (size_t i = 0; i < bounds.size(); ++i) {
    cumulative += counts[i];
    histogram.bucket.push_back(
        {.cumulative_count = cumulative, .upper_bound = static_cast<double>(bounds[i]) / divisor});
  }
  // The library writes the bucket of +Inf, which is the count.
  histogram.sample_count = cumulative + counts[bounds.size()];
  histogram.sample_sum = static_cast<double>(sum) / divisor;
}

}  // namespace sluice
