// Probes one backend whenever it is told to: connects, and goes through the dialogue that the
// configuration wants. Owns the connection and its timers. Lives on the control loop; owned by the
// HealthChecker, in whose schedule it has a place.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "sluice/config/config.h"
#include "sluice/control/probe_dialogue.h"
#include "sluice/control/probe_script.h"
#include "sluice/core/cluster.h"
#include "sluice/core/probe_schedule.h"
#include "sluice/net/connector.h"
#include "sluice/net/loop.h"
#include "sluice/net/poller.h"

namespace sluice {

class Prober final : public PollTarget, public ProbeSlot {
 public:
  // `on_rested` is called after each probe's result has gone to the cluster.
  Prober(Loop& loop, Poller& poller, ProbeSchedule& schedule, std::shared_ptr<Cluster> cluster,
         std::shared_ptr<Backend> backend, const ClusterConfig& config,
         std::optional<uint16_t> port, std::function<void(Prober&)> on_rested);
  ~Prober() override;

  const Backend& backend() const { return *backend_; }
  bool is_in_flight() const { return phase_ != Phase::resting; }

  // Starts a probe; not while one is under way. May end at once.
  void begin();

  // From the last probe to the next, as things stand, and its jitter in percent.
  Duration wanted_interval() const;
  double jitter() const { return config_.jitter; }

  void on_ready(unsigned tag, Readiness readiness) override;

 private:
  enum class Phase : uint8_t { resting, connecting, talking };

  void await_connection();
  void try_full_backlog_again();
  void on_timeout();
  void on_connecting(Readiness readiness);
  void talk();
  // Both say whether there may be more to do at once.
  bool send_some();
  bool receive_some();
  // The verdict in the contract's words. An inconclusive one is of our own making.
  void finish(std::string_view result);

  Loop& loop_;
  Poller& poller_;
  const std::shared_ptr<Cluster> cluster_;
  const std::shared_ptr<Backend> backend_;
  const HealthCheckConfig config_;
  const TcpOptions tcp_;
  const std::optional<Address> source_address_;
  const Address target_;
  const bool is_traffic_address_;  // then a probe may be the breaker's trial

  const ProbeScript script_;
  const std::function<void(Prober&)> on_rested_;

  Timer timeout_;
  std::optional<Timer> backlog_retry_;  // of a unix backend, once it was needed
  bool has_failed_last_ = false;

  Phase phase_ = Phase::resting;
  UniqueFd fd_;
  TimePoint began_at_{};
  std::optional<Permit> permit_;
  std::optional<ProbeDialogue> dialogue_;  // while talking
};

}  // namespace sluice
