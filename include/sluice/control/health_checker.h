// Active health checks: one prober per backend, each on a schedule of its own with its own timeout,
// hundreds in flight at once and never one behind another. Results go to the cluster, which
// decides. Lives on the control loop.
//
// Schedule: the first probe goes out at once; the next after a random part of the interval, so that
// probers spread over it; then one every interval ± jitter, counted from when the last was due, not
// from when it ended. While something is wrong (unhealthy, unknown, the last probe failed, the
// breaker is not closed) `unhealthy_interval` takes the interval's place.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "sluice/base/random.h"
#include "sluice/config/config.h"
#include "sluice/core/cluster.h"
#include "sluice/net/loop.h"
#include "sluice/net/poller.h"

namespace sluice {

class Prober;

class HealthChecker {
 public:
  HealthChecker(Loop& loop, Poller& poller, Random random);
  ~HealthChecker();
  HealthChecker(const HealthChecker&) = delete;
  HealthChecker& operator=(const HealthChecker&) = delete;

  // Probes the backends of the cluster's current snapshot: starts with new ones, stops with those
  // that are gone. `config` without a health check stops all. `settings` are the backends', for the
  // ports they want to be probed at.
  void watch(const std::shared_ptr<Cluster>& cluster, const ClusterConfig& config,
             std::span<const BackendSettings> settings);

  // Brings a backend's next probe forward because its breaker opened: probes may earn it an early
  // trial.
  void hasten(const std::string& cluster, const std::string& backend);

  // Probes under way.
  size_t in_flight() const;

 private:
  using Key = std::pair<std::string, std::string>;  // cluster and backend

  Loop& loop_;
  Poller& poller_;
  Random random_;
  std::map<Key, std::unique_ptr<Prober>> probers_;
};

}  // namespace sluice
