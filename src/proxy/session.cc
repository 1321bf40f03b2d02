#include "sluice/proxy/session.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "session_connecting.h"
#include "sluice/net/socket_options.h"
#include "sluice/proxy/worker.h"

namespace sluice {
namespace {

// How long bytes from before a reset may take to reach the other side, which is reset then anyway.
constexpr Duration kResetDelayMax = std::chrono::seconds(1);
// A session that has lasted this long gets keepalive on its backend side.
constexpr Duration kKeepaliveDelay = std::chrono::seconds(1);

// Bytes handed to the kernel that the peer has not acknowledged.
bool has_unsent_bytes(int fd) {
  int bytes = 0;
  return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

}  // namespace

Session::Session(Worker& worker, std::shared_ptr<Listener> listener, ClusterRoute& route,
                 UniqueFd client, const PeerAddress& client_address)
    : worker_(worker),
      route_(route),
      listener_(std::move(listener)),
      started_at_(worker.now()),
      last_activity_(worker.now()),
      client_address_(client_address) {
  client_.fd = std::move(client);
  client_.is_unix = client_address.is_unix();
}

Session::~Session() = default;

TimePoint Session::now() const { return worker_.now(); }

void Session::move_to(Phase phase) { phase_ = phase; }

void Session::on_ready(unsigned side, Readiness readiness) {
  if (phase_ == Phase::ended) return;
  Leg& leg = side == kClient ? client_ : backend_;
  if (phase_ == Phase::connecting) {
    if (side == kBackend) {
      on_backend_progress(readiness);
    } else {
      leg.take_in(readiness);
      // Who waits in the queue leaves it at once.
      if (connecting_->pending && is_client_gone()) finish(EndReason::client_reset);
    }
    return;
  }
  leg.take_in(readiness);
  if (readiness.has_error()) find_error(leg);
  advance();
}

void Session::resume() {
  is_on_run_list_ = false;
  if (phase_ == Phase::relaying || phase_ == Phase::closing) advance();
}

void Session::on_deadline() {
  switch (phase_) {
    case Phase::connecting:
      on_connect_deadline();
      return;
    case Phase::relaying:
      on_relay_deadline();
      return;
    case Phase::closing:
      advance();
      return;
    case Phase::ended:
      return;
  }
}

// Asks the kernel, because a pump may never come to it: it waits for the other side, or the stream
// has ended, and then recv() says 0 for ever (Linux looks at SOCK_DONE before the error). What was
// received before stays readable.
void Session::find_error(Leg& leg) {
  if (leg.is_broken()) return;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(leg.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) leg.break_with(error);
}

// Moves what can be moved, passes ends of stream on, and ends the session when it is complete.
void Session::advance() {
  const uint64_t to_backend = upstream_.bytes_moved();
  const uint64_t to_client = downstream_.bytes_moved();
  const HalfPump::Progress progress = step_pumps();
  backend_.is_unsettled |= upstream_.bytes_moved() != to_backend;
  client_.is_unsettled |= downstream_.bytes_moved() != to_client;
  const bool has_moved =
      upstream_.bytes_moved() != to_backend || downstream_.bytes_moved() != to_client;
  if (has_moved) {
    last_activity_ = now();
    count_moved(upstream_.bytes_moved() - to_backend, downstream_.bytes_moved() - to_client);
  }

  if (progress == HalfPump::Progress::out_of_turn) run_again();
  note_first_end();
  if (is_start_awaited_) note_backend_start();
  if (client_.is_broken() || backend_.is_broken()) {
    close_after_reset();
    return;
  }
  if (upstream_.is_done() && downstream_.is_done()) {
    finish(first_end_ == kClient ? EndReason::client_closed : EndReason::backend_closed);
    return;
  }
  pass_on_ends();
  // Bytes are under way to a peer that was settled: its acknowledgements are worth watching again.
  if (has_moved && due() > now() + look_interval()) schedule_relay_deadline();
}

// As they move: a session may last for days.
void Session::count_moved(uint64_t received, uint64_t sent) {
  BackendTally& tally = place_.backend()->tally(worker_.index());
  tally.received.add(received);
  tally.sent.add(sent);
}

void Session::run_again() {
  if (!is_on_run_list_) worker_.run_again(*this);
  is_on_run_list_ = true;
}

HalfPump::Progress Session::step_pumps() {
  PumpResources& resources = worker_.pump_resources();
  const auto up = upstream_.step(client_, backend_, resources);
  const auto down = downstream_.step(backend_, client_, resources);
  // A client found broken by the second step may have left bytes for the first.
  if (client_.is_broken()) upstream_.step(client_, backend_, resources);
  return std::max(up, down);
}

void Session::note_first_end() {
  if (first_end_ != kNeither) return;
  if (upstream_.state() != HalfPump::State::flowing) {
    first_end_ = kClient;
  } else if (downstream_.state() != HalfPump::State::flowing) {
    first_end_ = kBackend;
  }
}

// For early_close: did the backend say anything at all? A client that has ended or broken by now
// may be the reason why not, so that session says nothing about the backend, and neither does one
// whose backend was lost on the way (a timeout, no route) or that we cut ourselves.
void Session::note_backend_start() {
  const bool has_begun = downstream_.bytes_moved() + downstream_.bytes_in_flight() > 0;
  // A broken backend ends the upstream pump too, and that is not the client's doing.
  const bool has_client_ended =
      !backend_.is_broken() && upstream_.state() != HalfPump::State::flowing;
  const bool is_client_done = client_.is_broken() || client_.has_hangup || has_client_ended;
  const bool was_reset = backend_.error == ECONNRESET || backend_.error == EPIPE;
  const bool has_ended =
      was_reset || (!backend_.is_broken() && downstream_.state() != HalfPump::State::flowing);
  if (!has_begun && !is_client_done && !has_ended && !backend_.is_broken()) return;
  is_start_awaited_ = false;
  const ClusterSnapshot& snapshot = *route_.picker.snapshot();
  const Permit permit{.generation = generation_, .is_trial = false};
  if (has_begun) {
    snapshot.cluster->record_first_byte(snapshot, *place_.backend(), permit);
  } else if (has_ended && !is_client_done) {
    snapshot.cluster->record_early_close(snapshot, *place_.backend(), permit, now(),
                                         worker_.random());
  }
}

// One stream has ended and all of it was delivered: the other side gets its FIN while the other
// direction goes on.
void Session::pass_on_ends() {
  if (is_half_closed_ || (!upstream_.is_done() && !downstream_.is_done())) return;
  is_half_closed_ = true;
  last_activity_ = now();  // half_close_timeout begins here, however idle it was before
  const Leg& sink = upstream_.is_done() ? backend_ : client_;
  ::shutdown(sink.fd.get(), SHUT_WR);
  schedule_relay_deadline();
}

// One side is broken. The bytes it had sent before go on to the other side, which is then reset: as
// soon as it has acknowledged everything, or after kResetDelayMax.
void Session::close_after_reset() {
  if (phase_ != Phase::closing) {
    reason_ = client_.is_broken() ? EndReason::client_reset : EndReason::backend_reset;
    closing_until_ = now() + kResetDelayMax;
    move_to(Phase::closing);
  }
  const bool is_client_left = !client_.is_broken();
  Leg& survivor = is_client_left ? client_ : backend_;
  const HalfPump& to_survivor = is_client_left ? downstream_ : upstream_;
  const bool is_worth_waiting = !survivor.is_broken() && now() < closing_until_ &&
                                (!to_survivor.is_done() || has_unsent_bytes(survivor.fd.get()));
  if (is_worth_waiting) {
    worker_.deadlines().schedule(*this, std::min(now() + TimerWheel::kTick, closing_until_));
    return;
  }
  reset_on_close(client_.fd.get());
  reset_on_close(backend_.fd.get());
  finish(reason_);
}

void Session::on_relay_deadline() {
  if (!is_keepalive_set_ && route_.tcp.keepalive)
    set_keepalive(backend_.fd.get(), *route_.tcp.keepalive);
  is_keepalive_set_ = true;
  const ListenerConfig& config = listener_->config();
  if (config.max_duration && now() - started_at_ >= *config.max_duration) {
    cut(EndReason::max_duration);
    return;
  }
  if (const Timeout limit = idle_limit(); limit && now() - last_activity_ >= *limit) {
    end_idle(is_half_closed_ ? EndReason::half_close_timeout : EndReason::idle_timeout);
    return;
  }
  look_for_dead_peer(client_, config.tcp.dead_peer_timeout);
  look_for_dead_peer(backend_, route_.tcp.dead_peer_timeout);
  if (client_.is_broken() || backend_.is_broken()) {
    advance();
    return;
  }
  schedule_relay_deadline();
}

// A side that has everything gets an orderly end. One that still misses bytes must not take the end
// of the stream for the end of what was said.
void Session::end_idle(EndReason reason) {
  if (upstream_.bytes_in_flight() + downstream_.bytes_in_flight() > 0) {
    cut(reason);
  } else {
    finish(reason);
  }
}

void Session::look_for_dead_peer(Leg& leg, const Timeout& timeout) {
  if (!timeout || !leg.is_unsettled) return;
  const auto verdict = leg.watch.look(leg.fd.get(), now(), *timeout);
  leg.is_unsettled = verdict != DeadPeerWatch::Verdict::settled;
  if (verdict == DeadPeerWatch::Verdict::dead) leg.break_with(ETIMEDOUT);
}

Timeout Session::idle_limit() const {
  const ListenerConfig& config = listener_->config();
  if (!is_half_closed_) return config.idle_timeout;
  if (!config.half_close_timeout || !config.idle_timeout) {
    return config.half_close_timeout ? config.half_close_timeout : config.idle_timeout;
  }
  return std::min(*config.idle_timeout, *config.half_close_timeout);
}

Duration Session::look_interval() const {
  const Duration never = Duration::max() / 2;
  const Timeout& client = listener_->config().tcp.dead_peer_timeout;
  const Timeout& backend = route_.tcp.dead_peer_timeout;
  return std::min(client ? DeadPeerWatch::look_interval(*client) : never,
                  backend ? DeadPeerWatch::look_interval(*backend) : never);
}

void Session::schedule_relay_deadline() {
  constexpr Duration kForever = std::chrono::hours(24 * 365);
  TimePoint next = now() + kForever;
  if (const Timeout& limit = listener_->config().max_duration) {
    next = std::min(next, started_at_ + *limit);
  }
  if (const Timeout limit = idle_limit()) next = std::min(next, last_activity_ + *limit);
  const bool wants_look = client_.is_unsettled || backend_.is_unsettled;
  if (wants_look) next = std::min(next, now() + look_interval());
  if (!is_keepalive_set_) next = std::min(next, now() + kKeepaliveDelay);
  worker_.deadlines().schedule(*this, next);
}

void Session::cut(EndReason reason) {
  reset_on_close(client_.fd.get());
  if (backend_.fd) reset_on_close(backend_.fd.get());
  finish(reason);
}

void Session::finish(EndReason reason) {
  reason_ = reason;
  move_to(Phase::ended);
  PipePool& pipes = worker_.pump_resources().pipes;
  upstream_.abandon(pipes);
  downstream_.abandon(pipes);
  worker_.deadlines().cancel(*this);
  close_both(client_.fd, backend_.fd);
  worker_.session_ended(*this);
  place_.release();
  connecting_.reset();
}

SessionId Session::id() const {
  return {.worker = static_cast<uint32_t>(worker_.index()),
          .started_ms = to_ms(started_at_.time_since_epoch()),
          .slot = slot_};
}

const Backend* Session::last_backend() const {
  if (place_) return place_.backend().get();
  return connecting_ ? connecting_->last_tried.get() : nullptr;
}

std::string_view Session::state_name() const {
  switch (phase_) {
    case Phase::connecting:
      return connecting_->pending ? "pending" : "connecting";
    case Phase::relaying:
      return "relaying";
    case Phase::closing:
      return "closing";
    case Phase::ended:
      return "ended";
  }
  return "";
}

EndedSession Session::totals() const {
  return {.reason = reason_,
          .received = upstream_.bytes_moved(),
          .sent = downstream_.bytes_moved(),
          .duration = now() - started_at_};
}

SessionRecord Session::record() const {
  SessionRecord record;
  record.ended_at = now();
  record.listener = listener_;
  record.client = client_address_;
  record.backend = place_ ? place_.backend() : connecting_ ? connecting_->last_tried : nullptr;
  record.attempts = attempts_;
  record.decision = decision_;
  record.received = upstream_.bytes_moved();
  record.sent = downstream_.bytes_moved();
  if (connect_ms_ >= 0) record.connect_time = std::chrono::milliseconds(connect_ms_);
  record.duration = now() - started_at_;
  record.reason = reason_;
  return record;
}

}  // namespace sluice
