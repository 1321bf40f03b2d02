// Accepts clients from one listening socket on one worker: in bounded batches, within the limits of
// the process and of the listener. When a limit is reached or the process is out of descriptors it
// stops asking the kernel, so that clients wait in the queue and nothing spins; the worker resumes
// it when a session has ended or a moment has passed.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "sluice/base/unique_fd.h"
#include "sluice/net/poller.h"
#include "sluice/proxy/listener.h"

namespace sluice {

class Worker;
struct ClusterRoute;

class Acceptor final : public PollTarget {
 public:
  // In one turn, before the sessions have theirs.
  static constexpr int kBatchMax = 64;

  // `socket` is listening and non-blocking; a unix one is shared with other workers.
  Acceptor(Worker& worker, std::shared_ptr<Listener> listener, ClusterRoute& route,
           std::shared_ptr<UniqueFd> socket);

  void on_ready(unsigned tag, Readiness readiness) override;
  // Counts why, once for all pauses with no client accepted in between: while a limit stands it is
  // tried again and again.
  void pause(PauseCause cause);
  void resume();
  // Takes what is still queued, within the limits, and accepts no more.
  void close();

  const Listener& listener() const { return *listener_; }

 private:
  enum class Next : uint8_t { more, none, paused };
  Next accept_one();
  Next on_accept_error(int error);
  void stop_watching();

  Worker& worker_;
  std::shared_ptr<Listener> listener_;
  ClusterRoute& route_;
  std::shared_ptr<UniqueFd> socket_;
  // How many to take in the next turn. Asking an empty queue costs a system call, so after a turn
  // that found it empty just one; a queue that is not emptied is offered again in the next turn.
  int batch_ = 1;
  bool is_watching_ = false;
  bool is_pause_counted_ = false;  // since a client was last accepted
};

}  // namespace sluice
