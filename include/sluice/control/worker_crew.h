// The workers of a running server: they are told of everything together, and whoever waits for them
// hears of the last one. Lives on the control loop.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "sluice/control/cluster_control.h"
#include "sluice/net/mailbox.h"
#include "sluice/proxy/connection_limit.h"
#include "sluice/proxy/worker.h"
#include "sluice/proxy/worker_spread.h"

namespace sluice {

struct ListeningSockets;

class WorkerCrew {
 public:
  // The control loop's, by which they answer; outlives this object.
  explicit WorkerCrew(Mailbox& mailbox) : mailbox_(mailbox) {}
  // They have been stopped, or were never started.
  ~WorkerCrew();
  WorkerCrew(const WorkerCrew&) = delete;
  WorkerCrew& operator=(const WorkerCrew&) = delete;

  // One more worker, which shares its clients with the others, takes them from its socket of each
  // address and has a way to each cluster. Before start().
  void hire(Worker::Options options, Worker::Reports reports, ConnectionLimit& process_limit,
            const ClusterControls& clusters, const std::vector<ListeningSockets>& sockets);

  const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }
  const WorkerSpread& spread() const { return spread_; }

  void start();
  // They go by the cluster's backends as they are now.
  void adopt(const ClusterControl& cluster);
  // `on_caught_up` is called when each of them is through with all that it was sent until now:
  // never from within, and not at all when they are stopped first.
  void when_caught_up(std::function<void()> on_caught_up);
  void close_sessions_of(const std::shared_ptr<Backend>& backend, Duration over);

  // They accept no more; `on_idle` is called when the last session has ended. Once.
  void drain(std::function<void()> on_idle);
  void cut_sessions(EndReason reason);
  // Ends their threads.
  void stop();

 private:
  void on_worker_stopped();
  void on_worker_idle();

  Mailbox& mailbox_;
  WorkerSpread spread_;
  std::vector<std::unique_ptr<Worker>> workers_;
  size_t stopped_ = 0;  // those that accept no more
  size_t idle_ = 0;
  std::function<void()> on_idle_;
};

}  // namespace sluice
