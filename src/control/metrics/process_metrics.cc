// Metrics of the process: which version it is, its logs, its admin side, and the standard ones.
#include "build_info.h"
#include "metrics_page.h"
#include "process_facts.h"

namespace sluice {
namespace {

using prometheus::MetricType;

constexpr MetricKind kBuild{"sluice_build_info", MetricType::Gauge, "Always 1."};
constexpr MetricKind kReloads{"sluice_reloads_total", MetricType::Counter,
                              "Reloads of the configuration, by how they went."};
constexpr MetricKind kLogDropped{"sluice_log_dropped_total", MetricType::Counter,
                                 "Lines that a log lost because it was too slow or full."};
constexpr MetricKind kAdminRefused{
    "sluice_admin_refused_total", MetricType::Counter,
    "Requests that the admin side refused: 401 without the token, 403 foreign."};
constexpr MetricKind kCpu{"process_cpu_seconds_total", MetricType::Counter,
                          "User and system CPU time spent in seconds."};
constexpr MetricKind kVirtual{"process_virtual_memory_bytes", MetricType::Gauge,
                              "Virtual memory size in bytes."};
constexpr MetricKind kResident{"process_resident_memory_bytes", MetricType::Gauge,
                               "Resident memory size in bytes."};
constexpr MetricKind kOpenFds{"process_open_fds", MetricType::Gauge,
                              "Number of open file descriptors."};
constexpr MetricKind kMaxFds{"process_max_fds", MetricType::Gauge,
                             "Maximum number of open file descriptors."};
constexpr MetricKind kStart{"process_start_time_seconds", MetricType::Gauge,
                            "Start time of the process since 1970 in seconds."};
constexpr MetricKind kThreads{"process_threads", MetricType::Gauge, "Number of threads."};

void add_one(const MetricKind& kind, double value, MetricFamilies& families) {
  MetricFamily family(kind);
  family.add({}, value);
  std::move(family).add_to(families);
}

void add_standard_ones(double process_start, uint64_t open_fds, MetricFamilies& families) {
  const ProcessFacts facts = read_process_facts();
  add_one(kCpu, facts.cpu_seconds, families);
  add_one(kVirtual, static_cast<double>(facts.virtual_bytes), families);
  add_one(kResident, static_cast<double>(facts.resident_bytes), families);
  add_one(kOpenFds, static_cast<double>(open_fds), families);
  add_one(kMaxFds, static_cast<double>(facts.max_fds), families);
  add_one(kStart, process_start, families);
  add_one(kThreads, static_cast<double>(facts.threads), families);
}

}  // namespace

void collect_admin(const AdminRefusals& refusals, MetricFamilies& families) {
  MetricFamily refused(kAdminRefused);
  refused.add({{"status", "401"}}, refusals.unauthorized);
  refused.add({{"status", "403"}}, refusals.forbidden);
  std::move(refused).add_to(families);
}

void collect_process(const AdminScope& scope, double process_start, uint64_t open_fds,
                     MetricFamilies& families) {
  MetricFamily build(kBuild), reloads(kReloads), dropped(kLogDropped);
  build.add({{"version", kVersion}}, 1.0);
  // There is none yet: a file takes effect on a restart.
  for (const char* result : {"success", "failure"}) reloads.add({{"result", result}}, 0.0);
  for (const NamedLoss& lost : scope.log_losses()) {
    dropped.add({{"log", lost.log}}, lost.loss.lines);
  }
  for (MetricFamily* family : {&build, &reloads, &dropped}) std::move(*family).add_to(families);
  add_standard_ones(process_start, open_fds, families);
}

}  // namespace sluice
