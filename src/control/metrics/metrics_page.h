// Everything this process counts, as Prometheus asks for it at /metrics. Nothing is kept for it:
// the numbers are read where they are counted when somebody asks, the workers' among them without
// disturbing a worker. Lives on the control loop, whose own lag it measures.
#pragma once

#include <prometheus/collectable.h>

#include <string>

#include "admin/admin_scope.h"
#include "metric_family.h"
#include "sluice/base/time.h"
#include "sluice/net/loop_lag.h"

namespace sluice {

class MetricsPage final : public prometheus::Collectable {
 public:
  // Text exposition format, version 0.0.4.
  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

  // `scope` outlives it.
  explicit MetricsPage(const AdminScope& scope);

  // The page, as of now; a large one as of a moment ago when it was asked for just then.
  const std::string& render();

  MetricFamilies Collect() const override;

 private:
  const AdminScope& scope_;
  LoopLag loop_lag_;
  const double process_start_;
  std::string text_;
  TimePoint text_is_good_until_{};
};

// What it is made of, each in a file of its own.
void collect_listeners(const AdminScope& scope, MetricFamilies& families);
void collect_clusters(const AdminScope& scope, MetricFamilies& families);
void collect_backends(const AdminScope& scope, MetricFamilies& families);
void collect_workers(const AdminScope& scope, Duration control_lag, MetricFamilies& families);
void collect_process(const AdminScope& scope, double process_start, MetricFamilies& families);

}  // namespace sluice
