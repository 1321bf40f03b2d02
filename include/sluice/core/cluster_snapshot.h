// One immutable state of a cluster: its settings and backends, as a worker sees them until the next
// one is swapped in. Any thread may read it. Whoever holds the pointer that Cluster::apply() or
// Cluster::snapshot() gave keeps the cluster alive too.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "sluice/base/time.h"
#include "sluice/core/backend.h"
#include "sluice/core/balancer.h"
#include "sluice/core/circuit_breaker.h"
#include "sluice/core/health_tracker.h"
#include "sluice/core/outlier_settings.h"

namespace sluice {

class Cluster;

// What the core needs to know about a cluster; the rest of its configuration is none of its
// business.
struct ClusterSettings {
  BalancePolicy balance = BalancePolicy::round_robin;
  Duration connect_timeout = std::chrono::seconds(2);   // of one attempt
  uint32_t connect_attempts = 3;                        // of one session
  Duration connect_deadline = std::chrono::seconds(6);  // of all attempts together
  CircuitBreakerSettings circuit_breaker;
  OutlierSettings outlier_detection;  // acts through the breaker: nothing without it
  bool has_probes = true;             // health_check is on
  HealthThresholds health_thresholds;
  double panic_threshold = 0;  // percent; 0 is off

  friend bool operator==(const ClusterSettings&, const ClusterSettings&) = default;
};

// Backends of one priority, with the place where the control loop publishes that they are in panic.
struct PriorityLevel {
  uint32_t priority = 0;
  std::vector<std::shared_ptr<Backend>> backends;
  std::shared_ptr<const std::atomic<bool>> in_panic;
};

struct ClusterSnapshot {
  Cluster* cluster = nullptr;
  ClusterSettings settings;
  std::vector<PriorityLevel> levels;  // by priority, the preferred first
};

}  // namespace sluice
