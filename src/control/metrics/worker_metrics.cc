// Metrics of the threads: the workers and the control loop.
#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "metrics_page.h"

namespace sluice {
namespace {

using prometheus::MetricType;

constexpr MetricKind kWorkerSessions{"sluice_worker_connections_active", MetricType::Gauge,
                                     "Sessions of the worker."};
constexpr MetricKind kPipes{"sluice_pipes", MetricType::Gauge,
                            "Pipes for splicing that the worker has open."};
constexpr MetricKind kLag{
    "sluice_loop_lag_seconds", MetricType::Gauge,
    "How late the loop came to a timer of each second: the worst of the last 20."};
constexpr MetricKind kLocalErrors{
    "sluice_local_errors_total", MetricType::Counter,
    "Times something of our own was short or forbidden while serving clients, by errno."};

// What is counted from the start, so that the first one is seen to be one more.
bool is_usual(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
         error == EADDRNOTAVAIL;
}

void add_local_errors(MetricFamily& errors, const AdminScope& scope) {
  for (int error = 1; error < static_cast<int>(WorkerTally::kErrors); ++error) {
    uint64_t count = 0;
    for (const auto& worker : scope.workers) {
      count += worker->tally().local_errors[static_cast<size_t>(error)].value();
    }
    const char* name = ::strerrorname_np(error);
    if (name != nullptr && (count > 0 || is_usual(error))) errors.add({{"error", name}}, count);
  }
}

double to_seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

void collect_workers(const AdminScope& scope, Duration control_lag, MetricFamilies& families) {
  MetricFamily active(kWorkerSessions), pipes(kPipes), lag(kLag), errors(kLocalErrors);
  for (size_t i = 0; i < scope.workers.size(); ++i) {
    const std::string number = fmt::format("{}", i);
    active.add({{"worker", number}}, scope.spread.sessions(i));
    pipes.add({{"worker", number}}, uint64_t{scope.workers[i]->pipes()});
    lag.add({{"worker", number}}, to_seconds(scope.workers[i]->loop_lag()));
  }
  lag.add({{"worker", "control"}}, to_seconds(control_lag));
  add_local_errors(errors, scope);
  for (MetricFamily* family : {&active, &pipes, &lag, &errors}) {
    std::move(*family).add_to(families);
  }
}

}  // namespace sluice
