// Turns a row of probe results into a backend's health, with thresholds so that one unlucky probe
// does not decide, except the first, which decides alone. One per backend, used by the control loop
// only; the health it arrives at is published in Backend.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sluice/base/time.h"
#include "sluice/core/circuit_breaker.h"

namespace sluice {

enum class Health : uint8_t { unknown, healthy, unhealthy };

constexpr std::string_view name(Health health) {
  switch (health) {
    case Health::unknown:
      return "unknown";
    case Health::healthy:
      return "healthy";
    case Health::unhealthy:
      return "unhealthy";
  }
  return "";
}

struct HealthThresholds {
  uint32_t healthy = 2;    // passed probes in a row that turn unhealthy into healthy
  uint32_t unhealthy = 3;  // failed probes in a row that turn healthy into unhealthy

  friend bool operator==(const HealthThresholds&, const HealthThresholds&) = default;
};

struct HealthChange {
  Health from;
  Health to;
  uint32_t probes_in_row;  // how many results brought it about
  bool is_first_probe = false;
};

class HealthTracker {
 public:
  // Takes in one probe's result.
  std::optional<HealthChange> record(bool passed, const HealthThresholds& thresholds);

  // Takes in a probe's result for the question of an early trial: true when, with it, `healthy`
  // probes in a row that each began after the breaker's current `opening` have passed. A failed
  // probe or a new opening starts the row again.
  bool earns_early_trial(bool passed, TimePoint probe_began_at, const BreakerOpening& opening,
                         const HealthThresholds& thresholds);

  // Makes an unknown one unhealthy, as it was before a restart, until the first probe, which
  // decides alone.
  std::optional<HealthChange> restore_unhealthy();

  // Forgets everything: unknown again, when probes are switched off.
  std::optional<HealthChange> reset();

  Health health() const { return health_; }
  uint32_t passed_in_row() const { return passed_in_row_; }
  uint32_t failed_in_row() const { return failed_in_row_; }

 private:
  Health judge(const HealthThresholds& thresholds) const;

  Health health_ = Health::unknown;
  bool was_probed_ = false;
  uint32_t passed_in_row_ = 0;
  uint32_t failed_in_row_ = 0;
  uint32_t passed_since_opening_ = 0;
  std::optional<uint32_t> opening_generation_;
};

}  // namespace sluice
