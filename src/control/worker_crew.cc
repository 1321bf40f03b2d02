#include "sluice/control/worker_crew.h"

#include <algorithm>
#include <utility>

#include "listening_sockets.h"

namespace sluice {

WorkerCrew::~WorkerCrew() {
  for (const auto& worker : workers_) worker->wait();
}

void WorkerCrew::hire(Worker::Options options, Worker::Reports reports,
                      ConnectionLimit& process_limit, const ClusterControls& clusters,
                      const std::vector<ListeningSockets>& sockets) {
  const size_t index = workers_.size();
  auto worker = std::make_unique<Worker>(options, std::move(reports), process_limit);
  worker->join(spread_);
  for (const auto& cluster : clusters) {
    worker->add_route(cluster->config().name, cluster->cluster()->snapshot(), cluster->config().tcp,
                      cluster->config().source_address);
  }
  for (const ListeningSockets& socket : sockets) {
    worker->add_listener(socket.listener, socket.fds[std::min(index, socket.fds.size() - 1)]);
  }
  workers_.push_back(std::move(worker));
}

void WorkerCrew::start() {
  for (const auto& worker : workers_) worker->start();
}

void WorkerCrew::adopt(const ClusterControl& cluster) {
  for (const auto& worker : workers_) {
    auto adopt = [raw = worker.get(), name = cluster.config().name,
                  snapshot = cluster.cluster()->snapshot()] {
      raw->adopt_snapshot(name, snapshot);
    };
    worker->post(std::move(adopt));
  }
}

void WorkerCrew::when_caught_up(std::function<void()> on_caught_up) {
  // A worker takes what it is sent in that order; the last of them to be through with this tells.
  const std::shared_ptr<void> untold(nullptr, [this, on_caught_up = std::move(on_caught_up)](
                                                  void*) { mailbox_.post(on_caught_up); });
  for (const auto& worker : workers_) worker->post([untold] {});
}

void WorkerCrew::close_sessions_of(const std::shared_ptr<Backend>& backend, Duration over) {
  for (const auto& worker : workers_) worker->close_sessions_of(backend, over);
}

void WorkerCrew::drain(std::function<void()> on_idle) {
  on_idle_ = std::move(on_idle);
  for (const auto& worker : workers_) {
    worker->stop_accepting([this] { mailbox_.post([this] { on_worker_stopped(); }); });
  }
}

// Only when none accepts any more can none get a client from another one.
void WorkerCrew::on_worker_stopped() {
  if (++stopped_ < workers_.size()) return;
  for (const auto& worker : workers_) {
    worker->when_idle([this] { mailbox_.post([this] { on_worker_idle(); }); });
  }
}

void WorkerCrew::on_worker_idle() {
  if (++idle_ == workers_.size()) on_idle_();
}

void WorkerCrew::cut_sessions(EndReason reason) {
  for (const auto& worker : workers_) worker->cut_sessions(reason);
}

void WorkerCrew::stop() {
  for (const auto& worker : workers_) {
    worker->stop();
    worker->wait();
  }
}

}  // namespace sluice
