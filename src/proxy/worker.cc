#include "sluice/proxy/worker.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "sluice/base/thread_name.h"

namespace sluice {
namespace {

// A paused acceptor looks again after this long; at once when a session of its worker has ended.
constexpr Duration kAcceptAgainDelay = std::chrono::milliseconds(100);
constexpr Duration kRecordsDelayMax = std::chrono::milliseconds(100);
// Bursts of fewer sessions than this are not worth a call to the allocator.
constexpr size_t kBurstSessionsMin = 1000;
constexpr size_t kRecordsPerBatch = 256;

}  // namespace

Worker::Worker(Options options, Reports reports, ConnectionLimit& process_limit)
    : mailbox_(loop_),
      poller_(loop_, Poller::Nesting::around_loop, options.busy_poll),
      deadlines_(loop_,
                 [](TimerWheel::Entry& entry) { static_cast<Session&>(entry).on_deadline(); }),
      accept_again_(loop_, [this] { resume_accepting(); }),
      records_due_(loop_, [this] { hand_over_records(); }),
      loop_lag_(loop_, [this] { return !sessions_.empty(); }),
      notices_due_(loop_, [this] { tell_counted_notices(); }),
      options_(options),
      reports_(std::move(reports)),
      process_limit_(process_limit),
      random_(options.seed),
      pipes_(options.pipes_max),
      pump_resources_{.scratch = scratch_->bytes,
                      .pipes = pipes_,
                      .may_splice = options.splice == SpliceMode::automatic},
      unhealthy_closer_(loop_, sessions_),
      session_listing_(loop_, sessions_) {}

Worker::~Worker() = default;

void Worker::add_route(const std::string& cluster, std::shared_ptr<const ClusterSnapshot> snapshot,
                       const TcpOptions& tcp, const std::optional<Address>& source_address) {
  auto route = std::make_unique<ClusterRoute>(
      ClusterRoute{.picker = Picker(std::move(snapshot), Random(random_.next())),
                   .tcp = tcp,
                   .source_address = source_address,
                   .pending = {},
                   .call = {}});
  route->call = [this, raw = route.get()](PendingQueue::Ticket ticket) {
    post([raw, ticket] {
      // Who has left meanwhile has called the next.
      const auto found = raw->pending.find(ticket);
      if (found != raw->pending.end()) found->second->on_called();
    });
  };
  routes_.emplace(cluster, std::move(route));
}

void Worker::adopt_snapshot(const std::string& cluster,
                            std::shared_ptr<const ClusterSnapshot> snapshot) {
  Picker& picker = routes_.at(cluster)->picker;
  picker.adopt(std::move(snapshot));
  // Whoever was called when it was made may have tried by the one before.
  picker.snapshot()->cluster->pending().call_next();
}

void Worker::join(WorkerSpread& spread) {
  spread_ = &spread;
  index_in_spread_ = spread.add(*this);
}

void Worker::add_listener(std::shared_ptr<Listener> listener, std::shared_ptr<UniqueFd> socket) {
  ClusterRoute& route = *routes_.at(listener->config().cluster);
  acceptors_.push_back(
      std::make_unique<Acceptor>(*this, std::move(listener), route, std::move(socket)));
}

void Worker::start() {
  thread_ = std::thread([this] { run(); });
}

void Worker::run() {
  name_this_thread(fmt::format("worker {}", index()));
  while (is_running_) {
    poller_.run_turn(run_list_.empty());
    run_listed_sessions();
    free_ended_sessions();
  }
}

void Worker::stop_accepting(std::function<void()> on_stopped) {
  post([this, on_stopped = std::move(on_stopped)] {
    for (const auto& acceptor : acceptors_) acceptor->close();
    on_stopped();
  });
}

void Worker::when_idle(std::function<void()> on_idle) {
  post([this, on_idle = std::move(on_idle)] {
    on_idle_ = on_idle;
    tell_if_idle();
  });
}

void Worker::close_sessions_of(std::shared_ptr<const Backend> backend, Duration over) {
  post([this, backend = std::move(backend), over] {
    unhealthy_closer_.close_sessions_of(backend, over);
  });
}

void Worker::list_sessions(std::vector<SessionQuery> queries, SessionListing::OnListed on_listed) {
  post([this, queries = std::move(queries), on_listed = std::move(on_listed)] {
    session_listing_.list(queries, on_listed);
  });
}

void Worker::cut_session(const SessionId& id, EndReason reason, std::function<void(bool)> on_done) {
  post([this, id, reason, on_done = std::move(on_done)] {
    Session* session = sessions_.find(id);
    if (session != nullptr) session->cut(reason);
    on_done(session != nullptr);
  });
}

void Worker::cut_sessions(EndReason reason) {
  post([this, reason] {
    cut_reason_ = reason;
    // Ending one takes it out of the list.
    for (size_t slot = 0; slot < sessions_.slots(); ++slot) {
      if (Session* session = sessions_.at(slot)) session->cut(reason);
    }
  });
}

void Worker::stop() {
  post([this] {
    hand_over_records();
    is_running_ = false;
  });
}

void Worker::wait() {
  if (thread_.joinable()) thread_.join();
}

void Worker::admit_client(const std::shared_ptr<Listener>& listener, ClusterRoute& route,
                          UniqueFd client, const PeerAddress& address) {
  const size_t index = spread_ ? spread_->place(index_in_spread_) : index_in_spread_;
  if (index == index_in_spread_) {
    begin_session(listener, route, std::move(client), address);
  } else {
    hand_over(spread_->worker(index), listener, std::move(client), address);
  }
}

void Worker::hand_over(Worker& other, std::shared_ptr<Listener> listener, UniqueFd client,
                       const PeerAddress& address) {
  // A task can be copied, a descriptor cannot.
  const auto shared = std::make_shared<UniqueFd>(std::move(client));
  other.post([&other, listener = std::move(listener), shared, address] {
    ClusterRoute& route = *other.routes_.at(listener->config().cluster);
    other.begin_session(listener, route, std::move(*shared), address);
  });
}

void Worker::begin_session(std::shared_ptr<Listener> listener, ClusterRoute& route, UniqueFd client,
                           const PeerAddress& address) {
  Session& session = sessions_.add(
      std::make_unique<Session>(*this, std::move(listener), route, std::move(client), address));
  sessions_peak_ = std::max(sessions_peak_, sessions_.size());
  loop_lag_.watch();
  session.start();
  if (cut_reason_ && !session.has_ended()) session.cut(*cut_reason_);
}

void Worker::session_ended(Session& session) {
  unhealthy_closer_.forget(session);
  session.listener().tally(index_in_spread_).count_end(session.totals());
  session.listener().limit().release();
  process_limit_.release();
  if (spread_) spread_->leave(index_in_spread_);
  if (options_.keeps_records) {
    if (records_.empty()) records_due_.start(kRecordsDelayMax);
    records_.push_back(session.record());
    if (records_.size() >= kRecordsPerBatch) hand_over_records();
  }
  ended_.push_back(sessions_.take(session));
}

void Worker::free_ended_sessions() {
  if (ended_.empty()) return;
  std::erase_if(run_list_, [](const Session* session) { return session->has_ended(); });
  ended_.clear();
  give_memory_back();
  if (has_paused_acceptors_) resume_accepting();
  tell_if_idle();
}

// The allocator keeps what a burst has used; most of it goes back to the system once most of the
// burst's sessions have ended.
void Worker::give_memory_back() {
  if (sessions_peak_ < kBurstSessionsMin || sessions_.size() > sessions_peak_ / 8) return;
  ::malloc_trim(0);
  sessions_peak_ = sessions_.size();
}

void Worker::tell_if_idle() {
  if (!on_idle_ || !sessions_.empty()) return;
  hand_over_records();
  std::exchange(on_idle_, nullptr)();
}

void Worker::run_again(Session& session) { run_list_.push_back(&session); }

void Worker::run_listed_sessions() {
  if (run_list_.empty()) return;
  std::vector<Session*> turn;
  turn.swap(run_list_);
  for (Session* session : turn) session->resume();
}

void Worker::pause_accepting(std::string_view why) {
  for (const auto& acceptor : acceptors_) {
    note_pause(acceptor->listener(), PauseCause::shortage, why);
  }
}

void Worker::note_pause(const Listener& listener, PauseCause cause, std::string_view why) {
  for (const auto& acceptor : acceptors_) {
    if (&acceptor->listener() == &listener) acceptor->pause(cause);
  }
  has_paused_acceptors_ = true;
  if (!accept_again_.is_running()) accept_again_.start(kAcceptAgainDelay);
  tell(WorkerNotice::Kind::accept_paused, listener.config().name, why);
}

void Worker::note_local_error(int error) {
  tally_.count_local_error(error);
  tell(WorkerNotice::Kind::local_error, {}, std::strerror(error));
}

void Worker::tell(WorkerNotice::Kind kind, std::string_view listener, std::string_view why) {
  if (auto notice = notices_.note(kind, listener, why, now())) {
    reports_.on_notice(std::move(*notice));
  } else if (!notices_due_.is_running()) {
    notices_due_.start(WorkerNotices::kInterval);
  }
}

void Worker::tell_counted_notices() {
  for (WorkerNotice& notice : notices_.take_due(now())) reports_.on_notice(std::move(notice));
  if (notices_.has_counted()) notices_due_.start(WorkerNotices::kInterval);
}

void Worker::resume_accepting() {
  has_paused_acceptors_ = false;
  accept_again_.stop();
  for (const auto& acceptor : acceptors_) acceptor->resume();
}

void Worker::hand_over_records() {
  records_due_.stop();
  if (records_.empty()) return;
  std::vector<SessionRecord> batch;
  batch.swap(records_);
  reports_.on_records(std::move(batch));
}

}  // namespace sluice
