// The world's part on what it configures: anything that the core may be told.
#include <fmt/format.h>

#include "world.h"

namespace sluice::sim {

using std::chrono::milliseconds;

ClusterSettings World::any_settings() {
  ClusterSettings settings;
  settings.balance.policy =
      chance(50) ? BalancePolicy::round_robin : BalancePolicy::least_connections;
  CircuitBreakerSettings& breaker = settings.circuit_breaker;
  breaker.is_enabled = chance(90);
  breaker.failure_threshold = static_cast<uint32_t>(1 + random_.below(5));
  breaker.recovery_timeout = milliseconds(100 + random_.below(4000));
  breaker.max_recovery_timeout = breaker.recovery_timeout * static_cast<int>(1 + random_.below(4));
  breaker.success_threshold = static_cast<uint32_t>(1 + random_.below(3));
  breaker.jitter = static_cast<double>(random_.below(3)) * 10;
  breaker.early_trial = chance(50);
  settings.has_probes = chance(90);
  settings.health_thresholds = {.healthy = static_cast<uint32_t>(1 + random_.below(3)),
                                .unhealthy = static_cast<uint32_t>(1 + random_.below(3))};
  settings.balance.overprovisioning = static_cast<uint32_t>(100 + 40 * random_.below(3));
  settings.panic_threshold = static_cast<double>(random_.below(3)) * 35;
  if (is_plain()) return settings;
  add_limits(settings);
  if (chance(40)) settings.slow_start = milliseconds(500 + random_.below(8000));
  if (chance(60)) settings.outlier_detection = any_outlier_detection();
  make_way_for_the_fault(settings);
  remove_what_is_off(settings);
  return settings;
}

// So that the rule that is broken applies most of the time.
void World::make_way_for_the_fault(ClusterSettings& settings) {
  const bool is_of_turns = options_.fault == Fault::skips_turns_of_the_heavy;
  const bool is_of_tables = options_.fault == Fault::draws_again_for_the_heavy;
  const bool is_of_the_young = options_.fault == Fault::hurries_the_young;
  if (!is_of_turns && !is_of_tables && !is_of_the_young) return;
  settings.limits = {};
  settings.retry_budget = {};
  settings.balance = {};
  if (is_of_tables) settings.balance.policy = BalancePolicy::maglev;
  settings.slow_start.reset();
  if (is_of_the_young) settings.slow_start = std::chrono::seconds(5);
}

void World::remove_what_is_off(ClusterSettings& settings) const {
  if (!has(Feature::limits)) settings.limits = {};
  if (!has(Feature::retry_budget)) settings.retry_budget = {};
  if (!has(Feature::slow_start)) settings.slow_start.reset();
  if (!has(Feature::outlier_detection)) settings.outlier_detection = {};
  if (!has(Feature::probes)) settings.has_probes = false;
  if (!has(Feature::policies)) settings.balance = {};
}

void World::add_limits(ClusterSettings& settings) {
  settings.balance.policy = static_cast<BalancePolicy>(random_.below(kBalancePolicyNames.size()));
  settings.balance.choices = static_cast<uint32_t>(1 + random_.below(3));
  settings.balance.prefix_v4 = chance(80) ? 32 : 24;
  if (chance(25)) settings.balance.max_load = static_cast<uint32_t>(110 + random_.below(50));
  if (chance(30)) settings.limits.of_cluster = static_cast<uint32_t>(5 + random_.below(60));
  if (chance(40)) settings.limits.of_backend = static_cast<uint32_t>(1 + random_.below(12));
  if (chance(70)) {
    settings.pending = {.clients_max = static_cast<uint32_t>(1 + random_.below(30)),
                        .timeout = milliseconds(100 + random_.below(3000))};
  }
  if (chance(40)) {
    settings.retry_budget = {.is_enabled = true,
                             .percent = static_cast<double>(random_.below(30)),
                             .min = static_cast<uint32_t>(random_.below(10))};
  }
}

OutlierSettings World::any_outlier_detection() {
  OutlierSettings settings;
  settings.is_enabled = true;
  settings.window = milliseconds(1000 + random_.below(5000));
  settings.early_close = {.is_enabled = chance(70),
                          .threshold = static_cast<uint32_t>(1 + random_.below(4))};
  settings.failure_percentage = {.is_enabled = chance(50),
                                 .threshold = static_cast<double>(5 + random_.below(50)),
                                 .min_volume = static_cast<uint32_t>(2 + random_.below(10))};
  settings.success_rate = {.is_enabled = chance(50),
                           .min_hosts = 3,
                           .min_volume = static_cast<uint32_t>(2 + random_.below(10)),
                           .stdev_factor = 0.5 + random_.fraction() * 2};
  settings.max_ejected = static_cast<double>(random_.below(60));
  settings.base_ejection = milliseconds(100 + random_.below(3000));
  settings.max_ejection = settings.base_ejection * static_cast<int>(1 + random_.below(4));
  return settings;
}

std::vector<BackendSettings> World::any_backends() {
  std::vector<BackendSettings> backends;
  for (size_t i = 0; i < options_.backends; ++i) {
    if (chance(25)) continue;
    // Sometimes the name stays and the address is another one.
    const auto port = static_cast<uint16_t>(chance(5) ? 81 : 80);
    backends.push_back({.name = fmt::format("backend-{}", i),
                        .address = Address::ipv4({10, 0, 0, static_cast<uint8_t>(i)}, port),
                        .weight = chance(5) ? 0 : static_cast<uint32_t>(1 + random_.below(3)),
                        .priority = chance(60) || !has(Feature::priorities)
                                        ? 0U
                                        : static_cast<uint32_t>(1 + random_.below(2)),
                        .admin_state = chance(5) ? AdminState::draining : AdminState::ready,
                        .health_check_port = std::nullopt});
  }
  return backends;
}

}  // namespace sluice::sim
