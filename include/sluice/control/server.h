// The running load balancer: opens the listeners, starts the workers, owns the control loop with
// its probers, signals and timers, and drains everything at the end. Built and run on the main
// thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/log.h"
#include "sluice/base/result.h"
#include "sluice/config/config.h"
#include "sluice/control/cluster_control.h"
#include "sluice/control/cluster_timers.h"
#include "sluice/control/descriptors.h"
#include "sluice/control/health_checker.h"
#include "sluice/control/machine_limits.h"
#include "sluice/control/notifier.h"
#include "sluice/control/process_log.h"
#include "sluice/control/server_logs.h"
#include "sluice/control/state_store.h"
#include "sluice/control/worker_crew.h"
#include "sluice/net/loop.h"
#include "sluice/net/mailbox.h"
#include "sluice/net/poller.h"
#include "sluice/net/resolver.h"

namespace sluice {

class AdminServer;
struct AdminScope;
struct ListeningSockets;

// Who wants to know what happens, on the control loop's thread, besides the log.
struct ServerObserver {
  std::function<void(const Transition&)> on_transition;
  std::function<void(const std::string& listener, const Address& address)> on_listening;
  std::function<void(const Address& address)> on_admin_listening;
};

class Server {
 public:
  Server(Config config, Log& log, Descriptors& descriptors, ServerObserver observer = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds everything and starts serving. An error leaves nothing running.
  Result<void> start();

  // Serves until drained: after SIGTERM, SIGINT or drain().
  void run();

  // As SIGTERM does it; any thread.
  void drain();

  // For a guest on the control loop, from start() to the server's end.
  Loop& loop() { return loop_; }
  std::vector<std::shared_ptr<Cluster>> clusters() const;

  // Takes this list in place of a cluster's, on the control loop. `on_adopted` is called there
  // when no worker goes by the old one any more: never from within, and not at all when the server
  // ends first.
  void replace_backends(std::string_view cluster, std::vector<BackendConfig> backends,
                        std::function<void()> on_adopted);

 private:
  Result<void> open_state();
  AdminScope admin_scope();
  void make_clusters(uint32_t workers);
  void make_workers(uint32_t workers, uint32_t pipes_max,
                    const std::vector<ListeningSockets>& sockets);
  void note_listeners(const std::vector<ListeningSockets>& sockets);
  void watch_signals();
  void serve_when_resolved();
  void begin_serving();

  void on_cluster_change(ClusterControl& cluster);
  void on_transition(const Transition& transition);
  void close_sessions_of(const std::string& cluster, const std::string& backend);
  void keep_house();

  void begin_drain();
  void cut_sessions(EndReason reason, std::string_view why);
  void finish();

  const Config config_;
  Descriptors& descriptors_;
  const ServerObserver observer_;
  ProcessLog process_log_;
  ServerLogs logs_;

  Loop loop_;
  Mailbox mailbox_;
  Poller poller_;
  Notifier notifier_;
  Random random_;
  Resolver resolver_;
  HealthChecker health_checker_;
  Timer drain_due_;
  Timer serve_anyway_;
  Timer housekeeping_due_;
  std::vector<std::unique_ptr<SignalWatcher>> signals_;

  ClusterControls clusters_;
  ClusterTimers cluster_timers_;
  std::unique_ptr<StateStore> state_store_;  // only with a state_file
  std::unique_ptr<ConnectionLimit> process_limit_;
  WorkerCrew crew_;
  uint32_t connections_max_ = 0;
  bool is_serving_ = false;
  bool is_draining_ = false;
  std::vector<OpenListener> open_listeners_;
  std::unique_ptr<AdminServer> admin_;  // only with an admin.address; the first to go
};

}  // namespace sluice
