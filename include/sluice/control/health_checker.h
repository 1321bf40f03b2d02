// Active health checks: one prober per backend, each on a schedule of its own with its own timeout,
// hundreds in flight at once and never one behind another. Results go to the cluster, which
// decides. Lives on the control loop.
//
// When each goes next is ProbeSchedule's decision. Of those that are due a turn of the loop starts
// a few only: twenty thousand connects in a row would be a second in which nothing else happens.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "sluice/base/random.h"
#include "sluice/config/config.h"
#include "sluice/core/cluster.h"
#include "sluice/core/probe_schedule.h"
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

  void begin_due();
  void plan_next(Prober& prober);
  void wake_when_due();

  Loop& loop_;
  Poller& poller_;
  ProbeSchedule schedule_;
  Timer due_;
  TimePoint wakes_at_{};  // when `due_` runs
  EveryTurn more_due_;    // when a turn could not begin all
  std::map<Key, std::unique_ptr<Prober>> probers_;
};

}  // namespace sluice
