// One server's state, shared by all threads without a lock. It lives as long as anybody uses it:
// the cluster's current snapshot, an older one, or a session that is still relaying. Survives a
// reload when its name and address stay.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/base/address.h"
#include "sluice/core/cache_line.h"
#include "sluice/core/circuit_breaker.h"
#include "sluice/core/cluster_load.h"
#include "sluice/core/connect_outcome.h"
#include "sluice/core/health_tracker.h"
#include "sluice/core/outlier_detector.h"
#include "sluice/core/outlier_watch.h"
#include "sluice/core/per_worker.h"
#include "sluice/core/tally.h"

namespace sluice {

enum class AdminState : uint8_t { ready, draining, maintenance };

constexpr std::string_view name(AdminState state) {
  switch (state) {
    case AdminState::ready:
      return "ready";
    case AdminState::draining:
      return "draining";
    case AdminState::maintenance:
      return "maintenance";
  }
  return "";
}

constexpr uint32_t kBackendWeightMax = 1000;

// What the configuration says about one backend.
struct BackendSettings {
  std::string name;       // unique in its cluster; the address as written when none was given
  Address address;        // resolved: never of kind name
  uint32_t weight = 1;    // 0 to kBackendWeightMax; 0 gets no new connections
  uint32_t priority = 0;  // lower is preferred
  AdminState admin_state = AdminState::ready;
  std::optional<uint16_t> health_check_port;

  friend bool operator==(const BackendSettings&, const BackendSettings&) = default;
};

// A backend that joins a running cluster waits for its first probe while another one is healthy;
// at a cold start nobody knows better, and unknown ones are used.
enum class Arrival : uint8_t { cold_start, later };

// How many connections there may be at a time; no value: as many as come.
struct ConnectionLimits {
  std::optional<uint32_t> of_cluster;
  std::optional<uint32_t> of_backend;

  friend bool operator==(const ConnectionLimits&, const ConnectionLimits&) = default;
};

class Backend {
 public:
  // `load` is the cluster's, in whose books its connections are kept too. That many `workers` count
  // what they do with it.
  Backend(BackendSettings settings, Arrival arrival,
          std::shared_ptr<ClusterLoad> load = std::make_shared<ClusterLoad>(), size_t workers = 1)
      : settings_(std::move(settings)),
        name_(settings_.name),
        address_(settings_.address),
        load_(std::move(load)),
        tallies_(workers),
        arrival_(arrival),
        admin_state_(settings_.admin_state),
        weight_(settings_.weight) {}
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  const std::string& name() const { return name_; }
  const Address& address() const { return address_; }
  Arrival arrival() const { return arrival_; }

  // Changed by the control loop through Cluster, read by everybody.
  AdminState admin_state() const { return admin_state_.load(std::memory_order_relaxed); }
  Health health() const { return health_.load(std::memory_order_relaxed); }
  uint32_t weight() const { return weight_.load(std::memory_order_relaxed); }
  void set_weight(uint32_t weight) { weight_.store(weight, std::memory_order_relaxed); }

  // Connections of clients, those still connecting included. Exact over all workers.
  uint32_t active_connections() const { return active_.load(std::memory_order_relaxed); }
  void add_connection();
  // False, and nothing added, when that would exceed a limit: which is never the case, not for an
  // instant.
  bool try_add_connection(const ConnectionLimits& limits);
  // Calls the first who waits for a place.
  void remove_connection();

  // How much of its share of the cluster's connections it takes, up to 1: less while it is back
  // only just.
  double share(TimePoint now, Duration slow_start) const;

  // How often client connects ended so.
  uint64_t connects(ConnectOutcome outcome) const {
    return connects_[static_cast<size_t>(outcome)].load(std::memory_order_relaxed);
  }
  void count_connect(ConnectOutcome outcome) {
    connects_[static_cast<size_t>(outcome)].fetch_add(1, std::memory_order_relaxed);
  }

  // Written by that worker only.
  BackendTally& tally(size_t worker) { return tallies_.of(worker); }
  BackendTotals totals() const;

  CircuitBreaker& breaker() { return breaker_; }
  const CircuitBreaker& breaker() const { return breaker_; }
  OutlierDetector& outlier_detector() { return outlier_detector_; }
  const OutlierDetector& outlier_detector() const { return outlier_detector_; }
  // Null until the cluster's outlier detection is switched on for the first time.
  OutlierWatch* outlier_watch() const { return outlier_watch_.load(std::memory_order_acquire); }

  // Control loop only: what the configuration last said, which administrative state and weight may
  // have left at run time, and how its probes went.
  const BackendSettings& settings() const { return settings_; }
  const HealthTracker& health_tracker() const { return health_tracker_; }
  const BackendEvents& events() const { return events_; }

 private:
  // The one who keeps the books of who is healthy and ready, so nobody else may change it.
  friend class Cluster;

  BackendSettings settings_;
  HealthTracker health_tracker_;
  BackendEvents events_;
  std::unique_ptr<OutlierWatch> owned_outlier_watch_;
  const std::string name_;
  const Address address_;
  const std::shared_ptr<ClusterLoad> load_;
  PerWorker<BackendTally> tallies_;
  // Read for every pick, seldom written: together on a cache line.
  alignas(kCacheLine) const Arrival arrival_;
  std::atomic<bool> is_removed_{false};  // by a reload; its last connects are nobody's news
  std::atomic<AdminState> admin_state_;
  std::atomic<Health> health_{Health::unknown};
  std::atomic<uint32_t> weight_;
  std::atomic<Duration::rep> full_share_at_{0};  // the end of its slow start
  CircuitBreaker breaker_;
  OutlierDetector outlier_detector_;
  std::atomic<OutlierWatch*> outlier_watch_{nullptr};
  // Written for every connection.
  alignas(kCacheLine) std::atomic<uint32_t> active_{0};
  std::array<std::atomic<uint64_t>, kConnectOutcomeNames.size()> connects_{};
};

}  // namespace sluice
