#include "sluice/core/saved_state.h"

#include "sluice/core/cluster.h"

namespace sluice {
namespace {

constexpr std::string_view kWhy = "as it was before the restart";

}  // namespace

std::optional<SavedBackend> save(const Backend& backend) {
  const BackendSettings& configured = backend.settings();
  const bool is_unhealthy = backend.health() == Health::unhealthy;
  const std::optional<SavedBreaker> breaker = backend.breaker().saved();
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
                      .breaker = breaker};
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
      change_health(backend, *change, std::string(kWhy), now);
    }
  }
  const CircuitBreakerSettings& breaker = contents_->settings.circuit_breaker;
  if (saved.breaker && breaker.is_enabled) {
    backend.breaker().restore(*saved.breaker, now, breaker, [&](const BreakerChange& change) {
      tell(backend, change, std::string(kWhy), now);
    });
  }
  census_.update_breaker(backend, true);
  publish_census(now);
  return true;
}

}  // namespace sluice
