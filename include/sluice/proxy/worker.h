// A thread with its libuv loop: it accepts, connects and relays its share of the sessions, picks
// backends from its own view of the clusters, and tells the control loop what happened. Nothing of
// it is touched by another thread but through post().
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "sluice/base/random.h"
#include "sluice/base/unique_fd.h"
#include "sluice/core/picker.h"
#include "sluice/net/half_pump.h"
#include "sluice/net/local_ports.h"
#include "sluice/net/loop.h"
#include "sluice/net/loop_lag.h"
#include "sluice/net/mailbox.h"
#include "sluice/net/pipe_pool.h"
#include "sluice/net/poller.h"
#include "sluice/net/timer_wheel.h"
#include "sluice/proxy/acceptor.h"
#include "sluice/proxy/connection_limit.h"
#include "sluice/proxy/listener.h"
#include "sluice/proxy/live_session.h"
#include "sluice/proxy/session.h"
#include "sluice/proxy/session_listing.h"
#include "sluice/proxy/session_record.h"
#include "sluice/proxy/session_table.h"
#include "sluice/proxy/unhealthy_closer.h"
#include "sluice/proxy/worker_notices.h"
#include "sluice/proxy/worker_spread.h"
#include "sluice/proxy/worker_tally.h"

namespace sluice {

// How a worker gets to a cluster's backends. Lives as long as the worker.
struct ClusterRoute {
  Picker picker;
  TcpOptions tcp;
  std::optional<Address> source_address;
  // Those of its sessions that wait for a place, and how they are called.
  std::unordered_map<PendingQueue::Ticket, Session*> pending;
  PendingQueue::Call call;
};

class Worker {
 public:
  struct Options {
    size_t pipes_max = 0;
    SpliceMode splice = SpliceMode::automatic;
    BusyPollOptions busy_poll;
    uint64_t seed = 0;
    bool keeps_records = false;  // somebody wants SessionRecords
  };
  struct Reports {
    SessionRecordSink on_records;                 // batches, at most 100 ms old
    std::function<void(WorkerNotice)> on_notice;  // worker's thread
  };

  Worker(Options options, Reports reports, ConnectionLimit& process_limit);
  // Its thread has ended: see wait().
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // --- before start() or on the worker's thread --------------------------------------------------

  void add_route(const std::string& cluster, std::shared_ptr<const ClusterSnapshot> snapshot,
                 const TcpOptions& tcp, const std::optional<Address>& source_address);
  void adopt_snapshot(const std::string& cluster, std::shared_ptr<const ClusterSnapshot> snapshot);
  // Shares its clients with the other workers in `spread`, which outlives it; without it a worker
  // keeps all that it accepts. Before start(), with the same routes as the others.
  void join(WorkerSpread& spread);
  // `socket` is listening; its cluster's route has been added.
  void add_listener(std::shared_ptr<Listener> listener, std::shared_ptr<UniqueFd> socket);

  // --- any thread --------------------------------------------------------------------------------

  void start();
  // Runs `task` on the worker's thread. Not after stop().
  void post(std::function<void()> task) { mailbox_.post(std::move(task)); }
  // Takes what is queued in the kernel, then accepts no more, and hands over no more clients.
  // `on_stopped` is called on the worker's thread when that is done.
  void stop_accepting(std::function<void()> on_stopped);
  // `on_idle` is called on the worker's thread when the last session has ended, once. When every
  // worker that might hand one over has stopped accepting.
  void when_idle(std::function<void()> on_idle);
  // Ends the sessions with a backend that has turned unhealthy, spread over that time; connects to
  // it that are under way are given up at once, and another backend is tried.
  void close_sessions_of(std::shared_ptr<const Backend> backend, Duration over);
  // Tells what there is for each of the queries, on the worker's thread. A later call takes the
  // place of one that is under way, whose `on_listed` is then never called.
  void list_sessions(std::vector<SessionQuery> queries, SessionListing::OnListed on_listed);
  // Ends one session by a reset to both sides and says, on the worker's thread, whether it was
  // there.
  void cut_session(const SessionId& id, EndReason reason, std::function<void(bool)> on_done);
  // Ends every session that is left, and those that are still being handed over.
  void cut_sessions(EndReason reason);
  // Ends the thread's loop; wait() waits for that.
  void stop();
  void wait();
  const WorkerTally& tally() const { return tally_; }
  // Open ones, for splicing.
  size_t pipes() const { return pipes_.pipes(); }
  // The worst of the last seconds in which it had sessions.
  Duration loop_lag() const { return loop_lag_.worst(); }

  // --- for its sessions and acceptors, on its thread ---------------------------------------------

  // Among the workers that share their clients.
  size_t index() const { return index_in_spread_; }
  TimePoint now() const { return loop_.now(); }
  Loop& loop() { return loop_; }
  Poller& poller() { return poller_; }
  TimerWheel& deadlines() { return deadlines_; }
  PumpResources& pump_resources() { return pump_resources_; }
  LocalPorts& local_ports() { return local_ports_; }
  Random& random() { return random_; }
  ConnectionLimit& process_limit() { return process_limit_; }

  // Takes a client in, or hands it over to a worker with fewer; its places in the limits have been
  // acquired.
  void admit_client(const std::shared_ptr<Listener>& listener, ClusterRoute& route, UniqueFd client,
                    const PeerAddress& address);
  // The session will be stepped again before the loop blocks.
  void run_again(Session& session);
  // The session has ended: gives its places back and frees it at the end of the turn.
  void session_ended(Session& session);
  // A lack of our own: accepting pauses everywhere in this worker and is tried again soon.
  void pause_accepting(std::string_view why);
  void note_pause(const Listener& listener, PauseCause cause, std::string_view why);
  // An errno.
  void note_local_error(int error);

 private:
  void run();
  void hand_over(Worker& other, std::shared_ptr<Listener> listener, UniqueFd client,
                 const PeerAddress& address);
  void begin_session(std::shared_ptr<Listener> listener, ClusterRoute& route, UniqueFd client,
                     const PeerAddress& address);
  void run_listed_sessions();
  void free_ended_sessions();
  void give_memory_back();
  void resume_accepting();
  void hand_over_records();
  void tell(WorkerNotice::Kind kind, std::string_view listener, std::string_view why);
  void tell_counted_notices();
  void tell_if_idle();

  Loop loop_;
  Mailbox mailbox_;
  Poller poller_;
  TimerWheel deadlines_;
  Timer accept_again_;
  Timer records_due_;
  LoopLag loop_lag_;
  Timer notices_due_;

  const Options options_;
  const Reports reports_;
  ConnectionLimit& process_limit_;
  WorkerSpread* spread_ = nullptr;
  size_t index_in_spread_ = 0;
  Random random_;
  LocalPorts local_ports_;
  std::unique_ptr<ScratchBuffer> scratch_ = std::make_unique<ScratchBuffer>();
  PipePool pipes_;
  PumpResources pump_resources_;
  WorkerTally tally_;

  std::unordered_map<std::string, std::unique_ptr<ClusterRoute>> routes_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  SessionTable sessions_;
  UnhealthyCloser unhealthy_closer_;
  SessionListing session_listing_;
  size_t sessions_peak_ = 0;        // since memory was last given back
  std::vector<Session*> run_list_;  // while it has members the worker does not block
  std::vector<std::unique_ptr<Session>> ended_;
  std::vector<SessionRecord> records_;
  WorkerNotices notices_;
  bool has_paused_acceptors_ = false;
  std::function<void()> on_idle_;        // set while accepting has stopped and sessions are left
  std::optional<EndReason> cut_reason_;  // sessions are ended as soon as they are here
  bool is_running_ = true;

  std::thread thread_;
};

}  // namespace sluice
