// The part of Cluster that every connect of a client goes through, on any thread: whether a backend
// takes it, and what its outcome says about the backend.
#include <fmt/format.h>

#include <string>

#include "cluster_outliers.h"
#include "cluster_words.h"
#include "sluice/core/cluster.h"

namespace sluice {
namespace {

std::string why_tripped(const Ejection& ejection, ConnectOutcome last) {
  return fmt::format("{}, last: {}", row_of(ejection.consecutive_failures, "connect failure"),
                     name(last));
}

}  // namespace

Cluster::Admission Cluster::admit(const ClusterSnapshot& snapshot, const PriorityLevel& level,
                                  Backend& backend, TimePoint now, double draw) {
  const ClusterSettings& settings = snapshot.settings;
  if (backend.admin_state() != AdminState::ready) {
    return tl::unexpected(Obstacle::administrative);
  }
  if (!is_usable(snapshot, level, backend)) return tl::unexpected(Obstacle::health);
  CircuitBreaker& breaker = backend.breaker();
  const bool has_breaker = settings.circuit_breaker.is_enabled;
  // Looked at before anything is written: passing over thousands of dead ones costs only loads.
  if (has_breaker && breaker.refuses(now)) return tl::unexpected(Obstacle::breaker);
  if (settings.slow_start && draw >= backend.share(now, *settings.slow_start)) {
    return tl::unexpected(Obstacle::slow_start);
  }
  if (!backend.try_add_connection(settings.limits)) return tl::unexpected(Obstacle::limit);
  if (!has_breaker) return Permit{};
  const auto permit = breaker.admit(now, [&](const BreakerChange& change) {
    tell(backend, change, std::string(kTimeHasCome), now);
  });
  if (permit) return *permit;
  backend.remove_connection();
  return tl::unexpected(Obstacle::breaker);
}

bool Cluster::is_usable(const ClusterSnapshot& snapshot, const PriorityLevel& level,
                        const Backend& backend) const {
  if (!snapshot.settings.has_probes) return true;
  const Health health = backend.health();
  if (health == Health::healthy) return true;
  if (level.in_panic->load(std::memory_order_relaxed)) return true;
  if (health == Health::unhealthy) return false;
  return backend.arrival() == Arrival::cold_start ||
         healthy_backends_.load(std::memory_order_relaxed) == 0;
}

void Cluster::record_connect(const ClusterSnapshot& snapshot, Backend& backend, Permit permit,
                             ConnectOutcome outcome, TimePoint now, Random& random) {
  backend.count_connect(outcome);
  const CircuitBreakerSettings& settings = snapshot.settings.circuit_breaker;
  if (!settings.is_enabled) return;
  CircuitBreaker& breaker = backend.breaker();
  if (snapshot.settings.outlier_detection.is_enabled) {
    watch_connect(snapshot, backend, permit, outcome, now);
  }
  if (!permit.is_trial) {
    const auto ejection =
        backend.outlier_detector().record(permit, outcome, settings.failure_threshold);
    if (!ejection) return;
    const bool has_opened = breaker.trip(
        ejection->generation, now, settings, random,
        [&](const BreakerChange& change) {
          tell(backend, change, why_tripped(*ejection, outcome), now);
        },
        penalty_doublings(snapshot.settings, backend));
    if (!has_opened) return;
    ejections_.count_ejection(Detector::consecutive_failures);
    note_opening(snapshot.settings, backend);
  } else if (outcome == ConnectOutcome::connected) {
    breaker.succeeded(permit, settings, [&](const BreakerChange& change) {
      tell(backend, change, why_closed(settings), now);
    });
  } else if (is_backend_failure(outcome)) {
    const auto open_settings = settings_of_open_period(snapshot.settings, backend);
    breaker.failed(permit, now, open_settings, random, [&](const BreakerChange& change) {
      tell(backend, change, fmt::format("trial failed: {}", sluice::name(outcome)), now);
    });
  } else {
    breaker.abandoned(permit);
  }
  pending().call_next_after_change();
}

void Cluster::abandon_connect(Backend& backend, Permit permit) {
  backend.count_connect(ConnectOutcome::abandoned);
  backend.breaker().abandoned(permit);
}

}  // namespace sluice
