// Everything this process counts, as Prometheus asks for it at /metrics. Nothing is kept for it:
// the numbers are read where they are counted when somebody asks, the workers' among them without
// disturbing a worker. Lives on the control loop, whose own lag it measures.
//
// Reading the numbers is quick, writing them down takes six times as long: of many series that is
// done by a thread of libuv's, so that probes are not late for it.
#pragma once

#include <prometheus/collectable.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "admin/admin_guard.h"
#include "admin/admin_scope.h"
#include "admin/http_message.h"
#include "metric_family.h"
#include "open_fds.h"
#include "sluice/base/time.h"
#include "sluice/net/loop_lag.h"

namespace sluice {

class MetricsPage final : public prometheus::Collectable {
 public:
  using OnWork = std::function<void(Duration)>;

  // What is given outlives it; `on_work` is told how long it has worked outside of show().
  MetricsPage(const AdminScope& scope, const AdminRefusals& refusals, OnWork on_work);

  // Answers at once, or a moment later. A large page may be one of half a second ago.
  void show(HttpReply reply);

  MetricFamilies Collect() const override;

 private:
  struct Writing;

  void begin_writing(MetricFamilies families);
  void take(std::string text);

  const AdminScope& scope_;
  const AdminRefusals& refusals_;
  const std::function<void(Duration)> on_work_;
  LoopLag loop_lag_;
  const double process_start_;
  mutable OpenFds open_fds_;  // counts anew now and then, for the next who asks
  SharedText text_;           // the last large one
  TimePoint text_is_good_until_{};
  std::vector<HttpReply> waiting_;  // for what is being written
  // Tells what is still being written when this goes that nobody wants it any more.
  const std::shared_ptr<MetricsPage*> presence_ = std::make_shared<MetricsPage*>(this);
};

// What it is made of, each in a file of its own.
void collect_listeners(const AdminScope& scope, MetricFamilies& families);
void collect_clusters(const AdminScope& scope, MetricFamilies& families);
void collect_backends(const AdminScope& scope, MetricFamilies& families);
void collect_workers(const AdminScope& scope, Duration control_lag, MetricFamilies& families);
void collect_admin(const AdminRefusals& refusals, MetricFamilies& families);
void collect_process(const AdminScope& scope, double process_start, uint64_t open_fds,
                     MetricFamilies& families);

}  // namespace sluice
