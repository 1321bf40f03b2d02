// One client's connection and its backend connection:
//
//   connecting --> relaying --> closing --> ended
//
// *connecting*: attempts on backends, one after another, nothing read from the client yet.
// *relaying*: two half pumps; an end of stream goes over as a FIN while the other direction goes
// on. *closing*: one side was reset; what came before it is delivered, then the other side is
// reset.
//
// Owned by its worker, used on the worker's thread only, freed at the end of the turn in which it
// ended. One function, move_to(), changes the phase.
#pragma once

#include <cstdint>
#include <memory>

#include "sluice/base/time.h"
#include "sluice/core/cluster.h"
#include "sluice/core/lease.h"
#include "sluice/core/picker.h"
#include "sluice/net/connector.h"
#include "sluice/net/dead_peer.h"
#include "sluice/net/half_pump.h"
#include "sluice/net/poller.h"
#include "sluice/net/socket_address.h"
#include "sluice/net/timer_wheel.h"
#include "sluice/proxy/end_reason.h"
#include "sluice/proxy/listener.h"
#include "sluice/proxy/live_session.h"
#include "sluice/proxy/session_record.h"

namespace sluice {

class Worker;
struct ClusterRoute;

class Session final : public PollTarget, public TimerWheel::Entry {
 public:
  // `client` is a connected, non-blocking socket. `route` outlives the session.
  Session(Worker& worker, std::shared_ptr<Listener> listener, ClusterRoute& route, UniqueFd client,
          const PeerAddress& client_address);
  ~Session() override;

  // Picks a backend and starts connecting, in the turn in which the client was accepted.
  void start();

  // From the worker: a socket is ready, the deadline has come, its turn on the run list has come.
  void on_ready(unsigned side, Readiness readiness) override;
  void on_deadline();
  void resume();
  // Its turn among those who wait for a place at a backend has come.
  void on_called();

  // Ends it from outside, with a reset to both sides: what they have may be incomplete, and an
  // end of stream would say it is not.
  void cut(EndReason reason);

  bool has_ended() const { return phase_ == Phase::ended; }

  // Where the worker keeps it.
  size_t slot() const { return slot_; }
  void set_slot(size_t slot) { slot_ = static_cast<uint32_t>(slot); }

  // The one it is connected to; nothing while it is not.
  const Backend* backend() const { return place_.backend().get(); }
  // The one to which a connect is under way; nothing while none is.
  const Backend* connecting_to() const;
  // The one it is connected to, or else the last one that was tried; null when there was none.
  const Backend* last_backend() const;
  // That one has turned unhealthy: tries another. Only a breaker's trial goes on, because its
  // verdict is wanted, and then tries another all the same.
  void give_up_attempt();
  SessionRecord record() const;
  // What is to be counted of it when it has ended.
  EndedSession totals() const;
  // As in LiveSession, while it has not ended.
  SessionId id() const;
  std::string_view state_name() const;
  Listener& listener() const { return *listener_; }

 private:
  enum class Phase : uint8_t { connecting, relaying, closing, ended };
  enum Side : uint8_t { kClient = 0, kBackend = 1, kNeither = 2 };

  // One socket with what the session wants to know about its peer.
  struct Leg : Endpoint {
    bool is_unsettled = false;  // bytes were handed to it that it may not have acknowledged
    DeadPeerWatch watch;
  };
  // What is needed only until a backend is connected.
  struct Connecting;

  void move_to(Phase phase);

  // src/proxy/session_connecting.cc
  void connect_next();
  bool enter_queue();
  void leave_queue();
  bool begin_attempt(Lease lease);
  void end_attempt(ConnectOutcome outcome);
  void fail_attempt(int error);
  void postpone(int error);
  void on_backend_progress(Readiness readiness);
  ClusterTally& tally_of_cluster() const;
  bool may_be_connected_to_itself() const;
  void on_connect_deadline();
  void try_full_backlog_again();
  void on_connected(int error);
  bool is_client_gone() const;
  void refuse(EndReason reason);

  // src/proxy/session.cc
  void advance();
  HalfPump::Progress step_pumps();
  void count_moved(uint64_t received, uint64_t sent);
  void run_again();
  void note_first_end();
  void note_backend_start();
  void pass_on_ends();
  void find_error(Leg& leg);
  void close_after_reset();

  void on_relay_deadline();
  void end_idle(EndReason reason);
  void look_for_dead_peer(Leg& leg, const Timeout& timeout);
  void schedule_relay_deadline();
  Duration look_interval() const;
  Timeout idle_limit() const;

  void finish(EndReason reason);

  TimePoint now() const;

  Worker& worker_;
  ClusterRoute& route_;
  std::shared_ptr<Listener> listener_;
  Leg client_;
  Leg backend_;
  HalfPump upstream_;    // client to backend
  HalfPump downstream_;  // backend to client
  std::unique_ptr<Connecting> connecting_;
  ConnectionPlace place_;  // at the backend, once connected
  TimePoint started_at_;
  TimePoint last_activity_;
  TimePoint closing_until_{};
  int32_t connect_ms_ = -1;
  PeerAddress client_address_;
  uint32_t slot_ = 0;
  uint32_t generation_ = 0;  // of the permit it was connected under
  uint8_t attempts_ = 0;     // at most connect_attempts, which is 64 at most
  Decision decision_;        // of the last attempt
  Phase phase_ = Phase::connecting;
  EndReason reason_ = EndReason::shutdown;
  Side first_end_ = kNeither;  // whose stream ended first
  bool is_keepalive_set_ = false;
  bool is_on_run_list_ = false;
  bool is_half_closed_ = false;    // one end of stream has been passed on
  bool is_start_awaited_ = false;  // early_close wants to know how the backend begins
};

// An idle session costs little but this. Two words more and the allocator takes 16 bytes more.
static_assert(sizeof(Session) <= 280);

}  // namespace sluice
