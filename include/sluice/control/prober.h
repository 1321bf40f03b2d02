// Probes one backend again and again: connect, and where the configuration says so send some bytes
// and expect some in the answer. Lives on the control loop; owned by the HealthChecker.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sluice/base/random.h"
#include "sluice/config/config.h"
#include "sluice/core/cluster.h"
#include "sluice/net/connector.h"
#include "sluice/net/loop.h"
#include "sluice/net/poller.h"

namespace sluice {

class Prober final : public PollTarget {
 public:
  // The first probe goes out in the next turn of the loop.
  Prober(Loop& loop, Poller& poller, Random random, std::shared_ptr<Cluster> cluster,
         std::shared_ptr<Backend> backend, const ClusterConfig& config,
         std::optional<uint16_t> port);
  ~Prober() override;

  const Backend& backend() const { return *backend_; }
  bool is_in_flight() const { return phase_ != Phase::resting; }

  // The next probe goes out within the unhealthy interval.
  void hasten();

  void on_ready(unsigned tag, Readiness readiness) override;

 private:
  enum class Phase : uint8_t { resting, connecting, sending, expecting };

  void begin();
  void await_connection();
  void try_full_backlog_again();
  void on_timeout();
  void on_connecting(Readiness readiness);
  void send_rest();
  void read_answer();
  // The verdict in the contract's words. An inconclusive one is of our own making.
  void finish(std::string_view result);
  void schedule_next();
  Duration current_interval() const;

  Loop& loop_;
  Poller& poller_;
  Random random_;
  const std::shared_ptr<Cluster> cluster_;
  const std::shared_ptr<Backend> backend_;
  const HealthCheckConfig config_;
  const TcpOptions tcp_;
  const std::optional<Address> source_address_;
  const Address target_;
  const bool is_traffic_address_;  // then a probe may be the breaker's trial

  Timer next_;
  Timer timeout_;
  TimePoint due_at_;
  bool is_first_ = true;
  bool has_failed_last_ = false;

  Phase phase_ = Phase::resting;
  UniqueFd fd_;
  TimePoint began_at_{};
  std::optional<Permit> permit_;
  size_t sent_ = 0;
  std::string answer_;
};

}  // namespace sluice
