// Metrics of the clusters as a whole.
#include "metrics_page.h"

namespace sluice {
namespace {

using prometheus::MetricType;

constexpr MetricKind kPanic{"sluice_cluster_panic", MetricType::Gauge,
                            "Priorities of the cluster that are in panic now."};
constexpr MetricKind kPanics{"sluice_cluster_panics_total", MetricType::Counter,
                             "Times a priority of the cluster came into panic."};
constexpr MetricKind kAvailable{"sluice_cluster_available_backends", MetricType::Gauge,
                                "Backends that take ordinary connections, but for their limits."};
constexpr MetricKind kPending{"sluice_cluster_pending", MetricType::Gauge,
                              "Clients that wait for a free place."};
constexpr MetricKind kRetries{"sluice_connect_retries_total", MetricType::Counter,
                              "Connects begun that were not their session's first."};
constexpr MetricKind kEjections{
    "sluice_ejections_total", MetricType::Counter,
    "Proposals of outlier detection to take a backend out, followed or refused."};
constexpr MetricKind kConnectDuration{
    "sluice_connect_duration_seconds", MetricType::Histogram,
    "From accept to a connected backend, waiting and failed attempts included."};

void add_ejections(MetricFamily& ejections, Cluster& cluster) {
  const EjectionBooks& books = cluster.ejections();
  constexpr Detector kUncapped = Detector::consecutive_failures;
  const auto add = [&](Detector detector, const char* refused, uint64_t count) {
    ejections.add({{"cluster", cluster.name()}, {"detector", name(detector)}, {"refused", refused}},
                  count);
  };
  add(kUncapped, "false", books.ejections(kUncapped));
  for (const Detector detector : kCappedDetectors) {
    add(detector, "false", books.ejections(detector));
    add(detector, "true", books.refusals(detector));
  }
}

}  // namespace

void collect_clusters(const AdminScope& scope, MetricFamilies& families) {
  MetricFamily panic(kPanic), panics(kPanics), available(kAvailable), pending(kPending);
  MetricFamily retries(kRetries), ejections(kEjections), durations(kConnectDuration);
  for (const auto& control : scope.clusters) {
    Cluster& cluster = *control->cluster();
    const MetricFamily::Labels labels{{"cluster", cluster.name()}};
    const ClusterTotals totals = cluster.totals();
    panic.add(labels, cluster.panics_now());
    panics.add(labels, cluster.panics());
    available.add(labels, cluster.available_backends());
    pending.add(labels, uint64_t{cluster.pending().waiting()});
    retries.add(labels, totals.retries);
    add_ejections(ejections, cluster);
    durations.add(labels, kConnectBoundsMs, totals.connect_ms.counts, totals.connect_ms.sum,
                  MetricUnit::milliseconds);
  }
  for (MetricFamily* family :
       {&panic, &panics, &available, &pending, &retries, &ejections, &durations}) {
    std::move(*family).add_to(families);
  }
}

}  // namespace sluice
