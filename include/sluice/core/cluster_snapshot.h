// One immutable state of a cluster: its settings and backends, as a worker sees them until the next
// one is swapped in. Any thread may read it. Whoever holds the pointer that Cluster::apply() or
// Cluster::snapshot() gave keeps the cluster alive too.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sluice/base/time.h"
#include "sluice/core/backend.h"
#include "sluice/core/balance_settings.h"
#include "sluice/core/circuit_breaker.h"
#include "sluice/core/health_tracker.h"
#include "sluice/core/outlier_settings.h"
#include "sluice/core/retry_budget.h"

namespace sluice {

class Cluster;
class MaglevTable;

// Clients that wait when a limit is reached.
struct PendingSettings {
  uint32_t clients_max = 0;
  Duration timeout = std::chrono::seconds(5);

  friend bool operator==(const PendingSettings&, const PendingSettings&) = default;
};

// What the core needs to know about a cluster; the rest of its configuration is none of its
// business.
struct ClusterSettings {
  BalanceSettings balance;
  Duration connect_timeout = std::chrono::seconds(2);   // of one attempt
  uint32_t connect_attempts = 3;                        // of one session
  Duration connect_deadline = std::chrono::seconds(6);  // of all attempts together
  CircuitBreakerSettings circuit_breaker;
  OutlierSettings outlier_detection;  // acts through the breaker: nothing without it
  bool has_probes = true;             // health_check is on
  HealthThresholds health_thresholds;
  double panic_threshold = 0;  // percent; 0 is off
  ConnectionLimits limits;
  PendingSettings pending;
  RetryBudgetSettings retry_budget;
  Timeout slow_start;  // how long a recovered backend's share grows

  friend bool operator==(const ClusterSettings&, const ClusterSettings&) = default;
};

// The candidates of one priority level, owned by its snapshot.
using BackendList = std::span<const std::shared_ptr<Backend>>;

// The unit of shares in clients.
inline constexpr uint32_t kWholeShare = 1U << 30U;

// Backends of one priority, with the places where the control loop publishes that they are in panic
// and which share of the clients is theirs and that of the levels before them.
struct PriorityLevel {
  uint32_t priority = 0;
  std::vector<std::shared_ptr<Backend>> backends;
  std::shared_ptr<const std::atomic<bool>> in_panic;
  // Of policy maglev. Made by the control loop, because building it would stall a worker.
  std::shared_ptr<const MaglevTable> maglev_table;
  std::shared_ptr<const std::atomic<uint32_t>> share_up_to;
};

struct ClusterSnapshot {
  Cluster* cluster = nullptr;
  ClusterSettings settings;
  std::vector<PriorityLevel> levels;  // by priority, the preferred first
};

}  // namespace sluice
