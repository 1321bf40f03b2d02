#include "sluice/core/health_tracker.h"

#include <utility>

namespace sluice {

std::optional<HealthChange> HealthTracker::record(bool passed, const HealthThresholds& thresholds) {
  passed_in_row_ = passed ? passed_in_row_ + 1 : 0;
  failed_in_row_ = passed ? 0 : failed_in_row_ + 1;
  const bool is_first = !std::exchange(was_probed_, true);
  const Health first = passed ? Health::healthy : Health::unhealthy;
  const Health from = std::exchange(health_, is_first ? first : judge(thresholds));
  if (health_ == from) return std::nullopt;
  return HealthChange{from, health_, passed ? passed_in_row_ : failed_in_row_, is_first};
}

Health HealthTracker::judge(const HealthThresholds& thresholds) const {
  switch (health_) {
    case Health::unknown:  // until the first probe, which is not judged here
      return health_;
    case Health::healthy:
      return failed_in_row_ > 0 && failed_in_row_ >= thresholds.unhealthy ? Health::unhealthy
                                                                          : Health::healthy;
    case Health::unhealthy:
      return passed_in_row_ > 0 && passed_in_row_ >= thresholds.healthy ? Health::healthy
                                                                        : Health::unhealthy;
  }
  return health_;
}

bool HealthTracker::earns_early_trial(bool passed, TimePoint probe_began_at,
                                      const BreakerOpening& opening,
                                      const HealthThresholds& thresholds) {
  if (!passed || opening_generation_ != opening.generation) passed_since_opening_ = 0;
  opening_generation_ = opening.generation;
  if (!passed || probe_began_at <= opening.opened_at) return false;
  ++passed_since_opening_;
  return passed_since_opening_ >= thresholds.healthy;
}

std::optional<HealthChange> HealthTracker::restore_unhealthy() {
  if (was_probed_ || health_ == Health::unhealthy) return std::nullopt;
  const Health from = std::exchange(health_, Health::unhealthy);
  return HealthChange{from, health_, 0};
}

std::optional<HealthChange> HealthTracker::reset() {
  const Health from = health_;
  *this = HealthTracker();
  if (from == Health::unknown) return std::nullopt;
  return HealthChange{from, Health::unknown, 0};
}

}  // namespace sluice
