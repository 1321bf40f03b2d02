// A worker with a listener and a cluster, as the server would build them, around backends that the
// test plays itself. Checks after each test that nothing is left behind: descriptors, sessions,
// places in the limits, connections of the backends.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "open_files.h"
#include "sluice/core/cluster.h"
#include "sluice/proxy/worker.h"
#include "sockets.h"
#include "waiting.h"

namespace sluice {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Listens, accepts nothing, and has no room left: a connect to it gets no answer.
class HungBackend {
 public:
  HungBackend() : listening_(listen_on(loopback(), 0)) {
    for (int i = 0; i < 2; ++i) queued_.push_back(start_connect(address(), std::nullopt, {}).fd);
  }
  Address address() const { return address_of(listening_); }

 private:
  UniqueFd listening_;
  std::vector<UniqueFd> queued_;
};

class ProxyTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Adds a backend before start(); a lower priority number is tried first.
  void add_backend(const Address& address, uint32_t priority = 0);
  // Opens the listener on `address` and runs the workers.
  void start(const Address& address = loopback());
  // A new snapshot of the same cluster, for every worker.
  void reload();
  // Ends the sessions and the workers.
  void stop();

  const Address& front() const { return front_; }
  UniqueFd connect_client() { return connect_to(front_); }
  Worker& worker(size_t index = 0) { return *workers_[index]; }
  Listener& listener() { return *listener_; }
  Backend& backend(size_t index = 0);
  std::shared_ptr<Backend> shared_backend(size_t index = 0);
  uint64_t connects(ConnectOutcome outcome, size_t index = 0);
  Cluster& cluster() { return *cluster_; }

  // As the control loop would: opens its breaker, fails its first probe, passes enough of them.
  void trip(Backend& backend);
  void fail_probe(Backend& backend);
  void pass_probes(Backend& backend);
  // Some time ago: the workers' clocks tick in milliseconds.
  static BreakerState breaker_state(const Backend& backend, Duration ago = {});

  // The records so far, once there are that many.
  std::vector<SessionRecord> records(size_t count, Duration patience = kPatience);
  size_t record_count();
  std::string notices();
  void stop_accepting();
  size_t idle_reports();

  // Set before start().
  ListenerConfig listener_config;
  ClusterSettings settings;
  TcpOptions backend_tcp;
  Worker::Options options;
  size_t worker_count = 1;
  bool is_spread = true;          // the workers share their clients
  bool has_one_acceptor = false;  // only the first of them listens
  uint32_t process_connections_max = ConnectionLimit::kUnlimited;
  // Replaces the listening socket.
  std::function<void(UniqueFd&)> tamper_with_listener;

  std::unique_ptr<ConnectionLimit> process_limit;
  WorkerSpread spread;

 private:
  void check_that_nothing_is_left();
  Worker::Reports reports();

  size_t files_ = 0;
  Address front_;
  std::vector<BackendSettings> backend_settings_;
  std::shared_ptr<Cluster> cluster_;
  std::shared_ptr<const ClusterSnapshot> snapshot_;
  std::shared_ptr<Listener> listener_;
  std::vector<std::unique_ptr<Worker>> workers_;

  std::mutex mutex_;  // for what the workers report
  std::vector<SessionRecord> records_;
  std::string notices_;
  size_t idle_reports_ = 0;
};

}  // namespace sluice
