#include "sluice/core/saved_state.h"

#include "cluster_words.h"
#include "sluice/core/cluster.h"

namespace sluice {

std::optional<SavedBackend> save(const Backend& backend) {
  const BackendSettings& configured = backend.settings();
  const bool is_unhealthy = backend.health() == Health::unhealthy;
  const std::optional<SavedBreaker> breaker = backend.breaker().saved();
  const OutlierWatch* watch = backend.outlier_watch();
  const bool is_ejected = breaker && watch != nullptr;
  const AdminState admin_state = backend.admin_state();
  const uint32_t weight = backend.weight();
  if (!is_unhealthy && !breaker && admin_state == configured.admin_state &&
      weight == configured.weight) {
    return std::nullopt;
  }
  return SavedBackend{.name = backend.name(),
                      .address = backend.address().to_string(),
                      .configured_state = configured.admin_state,
                      .admin_state = admin_state,
                      .configured_weight = configured.weight,
                      .weight = weight,
                      .is_unhealthy = is_unhealthy,
                      .breaker = breaker,
                      .ejected_by = is_ejected ? watch->ejected_by.load() : Detector::none};
}

bool Cluster::restore(const SavedBackend& saved, TimePoint now) {
  const auto found = by_name_.find(saved.name);
  if (found == by_name_.end()) return false;
  Backend& backend = *found->second;
  if (backend.address().to_string() != saved.address) return false;

  const BackendSettings& configured = backend.settings();
  if (configured.admin_state == saved.configured_state) {
    backend.admin_state_.store(saved.admin_state, std::memory_order_relaxed);
  }
  if (configured.weight == saved.configured_weight) backend.set_weight(saved.weight);
  if (saved.is_unhealthy && contents_->settings.has_probes) {
    if (const auto change = backend.health_tracker_.restore_unhealthy()) {
      change_health(backend, *change, std::string(kAsBefore), now);
    }
  }
  const CircuitBreakerSettings& breaker = contents_->settings.circuit_breaker;
  if (saved.breaker && breaker.is_enabled) {
    if (saved.ejected_by != Detector::none) {
      restore_ejection(backend, saved.ejected_by, *saved.breaker, now);
    } else {
      backend.breaker().restore(*saved.breaker, now, breaker, [&](const BreakerChange& change) {
        tell(backend, change, std::string(kAsBefore), now);
      });
    }
  }
  census_.update_breaker(backend, true);
  publish_census(now);
  return true;
}

}  // namespace sluice
