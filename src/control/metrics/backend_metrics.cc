// Metrics of each backend.
#include "metrics_page.h"

namespace sluice {
namespace {

using prometheus::MetricType;

constexpr MetricKind kBytes{
    "sluice_bytes_total", MetricType::Counter,
    "Bytes handed on, as they move: received from clients, sent to clients."};
constexpr MetricKind kActive{"sluice_backend_connections_active", MetricType::Gauge,
                             "Connections of clients, those still connecting included."};
constexpr MetricKind kConnects{"sluice_backend_connects_total", MetricType::Counter,
                               "Connects of clients' sessions, by how they went."};
constexpr MetricKind kHealth{"sluice_backend_health", MetricType::Gauge,
                             "1 healthy, 0 unhealthy; not there while unknown."};
constexpr MetricKind kBreaker{"sluice_breaker_state", MetricType::Gauge,
                              "0 closed (lets traffic through), 1 open, 2 half_open."};
constexpr MetricKind kTransitions{"sluice_breaker_transitions_total", MetricType::Counter,
                                  "Changes of the breaker, by the state it turned to."};
constexpr MetricKind kProbes{"sluice_probes_total", MetricType::Counter,
                             "Active health checks, by result; none where they are off."};

class BackendFamilies {
 public:
  void add(std::string_view cluster, const Backend& backend, TimePoint now) {
    const std::string_view name = backend.name();
    const BackendTotals totals = backend.totals();
    bytes_.add({{"cluster", cluster}, {"backend", name}, {"direction", "received"}},
               totals.received);
    bytes_.add({{"cluster", cluster}, {"backend", name}, {"direction", "sent"}}, totals.sent);
    active_.add({{"cluster", cluster}, {"backend", name}}, backend.active_connections());
    for (size_t i = 0; i < kConnectOutcomeNames.size(); ++i) {
      connects_.add({{"cluster", cluster}, {"backend", name}, {"outcome", kConnectOutcomeNames[i]}},
                    backend.connects(static_cast<ConnectOutcome>(i)));
    }
    if (backend.health() != Health::unknown) {
      health_.add({{"cluster", cluster}, {"backend", name}},
                  backend.health() == Health::healthy ? 1.0 : 0.0);
    }
    breaker_.add({{"cluster", cluster}, {"backend", name}},
                 static_cast<uint32_t>(backend.breaker().state(now)));
    for (const BreakerState to :
         {BreakerState::closed, BreakerState::open, BreakerState::half_open}) {
      transitions_.add({{"cluster", cluster}, {"backend", name}, {"to", sluice::name(to)}},
                       backend.events().breaker_transitions[static_cast<size_t>(to)]);
    }
  }

  // Only results that have come, besides the usual one: else they were a third of a large page.
  void add_probes(std::string_view cluster, const Backend& backend) {
    for (size_t i = 0; i < kProbeResultNames.size(); ++i) {
      if (i > 0 && backend.events().probes[i] == 0) continue;
      probes_.add(
          {{"cluster", cluster}, {"backend", backend.name()}, {"result", kProbeResultNames[i]}},
          backend.events().probes[i]);
    }
  }

  void add_to(MetricFamilies& families) && {
    for (MetricFamily* family :
         {&bytes_, &active_, &connects_, &health_, &breaker_, &transitions_, &probes_}) {
      std::move(*family).add_to(families);
    }
  }

 private:
  MetricFamily bytes_{kBytes};
  MetricFamily active_{kActive};
  MetricFamily connects_{kConnects};
  MetricFamily health_{kHealth};
  MetricFamily breaker_{kBreaker};
  MetricFamily transitions_{kTransitions};
  MetricFamily probes_{kProbes};
};

}  // namespace

void collect_backends(const AdminScope& scope, MetricFamilies& families) {
  BackendFamilies collected;
  for (const auto& control : scope.clusters) {
    const auto snapshot = control->cluster()->snapshot();
    const std::string_view cluster = control->config().name;
    for (const PriorityLevel& level : snapshot->levels) {
      for (const auto& backend : level.backends) {
        collected.add(cluster, *backend, scope.loop.now());
        if (control->config().settings.has_probes) collected.add_probes(cluster, *backend);
      }
    }
  }
  std::move(collected).add_to(families);
}

}  // namespace sluice
