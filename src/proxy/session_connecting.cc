// The first phase of a session: from an accepted client to a connected backend.
#include "session_connecting.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sluice/net/socket_options.h"
#include "sluice/proxy/worker.h"

namespace sluice {
namespace {

// How long to wait before asking again for what was short: a place in a unix backend's backlog, a
// descriptor, a local port.
constexpr Duration kRetryDelay = TimerWheel::kTick;
// Who waits for a place tries that often at once; then the others have their turn.
constexpr int kTriesPerTurnMax = 2;

// What may be there again in a moment. No permission or no such address family will not.
bool is_shortage(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL:  // no local port is free
    case EAGAIN:
      return true;
    default:
      return false;
  }
}

ConnectOutcome to_outcome(int error) {
  switch (classify_connect_error(error)) {
    case ConnectError::refused:
      return ConnectOutcome::refused;
    case ConnectError::timeout:
      return ConnectOutcome::timeout;
    case ConnectError::unreachable:
      return ConnectOutcome::unreachable;
    case ConnectError::reset:
      return ConnectOutcome::reset;
    case ConnectError::local:
      return ConnectOutcome::local_error;
  }
  return ConnectOutcome::local_error;
}

}  // namespace

void Session::start() {
  connecting_ = std::make_unique<Connecting>();
  connecting_->deadline = now() + route_.picker.snapshot()->settings.connect_deadline;
  connect_next();
  if (phase_ != Phase::connecting) return;
  if (!worker_.poller().add(client_.fd.get(), *this, kClient)) refuse(EndReason::resource);
}

// Goes through the backends until a connect is under way or there is nothing left to try.
void Session::connect_next() {
  if (is_client_gone()) {
    finish(EndReason::client_reset);
    return;
  }
  // First come, first served: who has just come does not go before those who wait. (Who was served
  // and then short of something of our own has waited already.)
  const bool is_newcomer = attempts_ == 0 && !connecting_->pending && !connecting_->is_postponed;
  const bool is_queue_there = route_.picker.snapshot()->cluster->pending().waiting() > 0;
  if (is_newcomer && is_queue_there) {
    // Of a pick that is not made.
    decision_.policy = route_.picker.snapshot()->settings.balance.policy;
    decision_.pass_over(Obstacle::limit);
    if (!enter_queue()) return;
  }
  const uint32_t attempts_max = route_.picker.snapshot()->settings.connect_attempts;
  int tries_in_vain = 0;
  while (phase_ == Phase::connecting) {
    const bool is_out_of_attempts = connecting_->tried.size() >= attempts_max;
    const bool is_out_of_time = !connecting_->pending && now() >= connecting_->deadline;
    if (is_out_of_attempts || is_out_of_time) {
      refuse(EndReason::connect_failed);
      return;
    }
    const uint64_t calls = connecting_->pending ? connecting_->pending->calls() : 0;
    auto lease = route_.picker.pick({.tried = connecting_->tried,
                                     .now = now(),
                                     .client = client_address_.ip_bytes(),
                                     .is_postponed = connecting_->is_postponed});
    decision_ = route_.picker.last_decision();
    if (lease) {
      leave_queue();
      if (begin_attempt(std::move(*lease))) return;
    } else if (lease.error() != Picker::Refusal::at_limit) {
      refuse(attempts_ == 0 ? EndReason::no_backend : EndReason::connect_failed);
    } else if (!connecting_->pending) {
      // The first in line tries once more: a place may have become free before it was there.
      if (!enter_queue()) return;
    } else if (connecting_->pending->rest(calls)) {
      return;
    } else if (++tries_in_vain == kTriesPerTurnMax) {
      connecting_->pending->call_again();
      return;
    }
  }
}

// Waits for a place at one of the backends, or is refused when too many do already. True when it
// has nobody before it and must try at once.
bool Session::enter_queue() {
  const std::shared_ptr<const ClusterSnapshot>& snapshot = route_.picker.snapshot();
  const PendingSettings& settings = snapshot->settings.pending;
  const auto entry = snapshot->cluster->pending().enter(route_.call, settings.clients_max);
  if (!entry) {
    refuse(EndReason::limit);
    return false;
  }
  connecting_->pending.emplace(route_, entry->ticket, *this);
  connecting_->pending_since = now();
  connecting_->wait = Connecting::Wait::place;
  worker_.deadlines().schedule(*this, now() + settings.timeout);
  return entry->is_its_turn;
}

// The time spent in the queue is not taken from the attempts.
void Session::leave_queue() {
  if (!connecting_->pending) return;
  connecting_->deadline += now() - connecting_->pending_since;
  connecting_->pending.reset();
}

void Session::on_called() {
  if (phase_ == Phase::connecting) connect_next();
}

// True when there is something to wait for.
bool Session::begin_attempt(Lease lease) {
  connecting_->lease = std::move(lease);
  const std::shared_ptr<Backend>& backend = connecting_->lease.backend();
  ConnectStart start = start_connect(backend->address(), route_.source_address, route_.tcp);
  int error = start.error;
  if (error == 0 && !worker_.poller().add(start.fd.get(), *this, kBackend)) error = ENOMEM;
  connecting_->is_postponed = is_shortage(error);
  if (connecting_->is_postponed) {
    postpone(error);
    return true;
  }
  if (++attempts_ > 1) tally_of_cluster().retries.add();
  connecting_->tried.push_back(backend.get());
  connecting_->last_tried = backend;
  if (error != 0) {
    fail_attempt(error);
    return false;
  }
  const bool is_unix = backend->address().is_unix();
  static_cast<Endpoint&>(backend_) = Endpoint{.fd = std::move(start.fd),
                                              .is_nodelay_due = route_.tcp.nodelay && !is_unix,
                                              .is_unix = is_unix};
  const Duration timeout = route_.picker.snapshot()->settings.connect_timeout;
  connecting_->attempt_began = now();
  connecting_->attempt_deadline = std::min(now() + timeout, connecting_->deadline);
  connecting_->wait =
      start.is_backlog_full ? Connecting::Wait::full_backlog : Connecting::Wait::verdict;
  worker_.deadlines().schedule(
      *this, start.is_backlog_full ? now() + kRetryDelay : connecting_->attempt_deadline);
  return true;
}

const Backend* Session::connecting_to() const {
  return connecting_ ? connecting_->lease.backend().get() : nullptr;
}

void Session::give_up_attempt() {
  if (connecting_to() == nullptr) return;
  connecting_->is_given_up = true;
  if (connecting_->lease.is_trial()) return;
  end_attempt(ConnectOutcome::abandoned);
  connect_next();
}

void Session::end_attempt(ConnectOutcome outcome) {
  connecting_->is_given_up = false;
  backend_.fd.reset();
  connecting_->lease.settle(outcome, now(), worker_.random());
  connecting_->lease.release();
}

void Session::fail_attempt(int error) {
  const ConnectOutcome outcome = to_outcome(error);
  if (outcome == ConnectOutcome::local_error) worker_.note_local_error(error);
  end_attempt(outcome);
}

// Something of our own is short: no backend is to blame, and the client need not suffer while the
// connect deadline lasts.
void Session::postpone(int error) {
  worker_.note_local_error(error);
  worker_.pause_accepting(std::strerror(error));
  end_attempt(ConnectOutcome::local_error);
  connecting_->wait = Connecting::Wait::own_shortage;
  worker_.deadlines().schedule(*this, std::min(now() + kRetryDelay, connecting_->deadline));
}

void Session::on_backend_progress(Readiness readiness) {
  if (!backend_.fd || connecting_->wait != Connecting::Wait::verdict) return;
  const ConnectProgress progress = connect_progress(backend_.fd.get(), readiness);
  if (progress.state == ConnectProgress::State::under_way) return;
  if (progress.state == ConnectProgress::State::failed) {
    fail_attempt(progress.error);
  } else if (may_be_connected_to_itself() &&
             is_connected_to_itself(backend_.fd.get(), connecting_->lease.backend()->address())) {
    end_attempt(ConnectOutcome::self_connect);
  } else {
    backend_.take_in(readiness);
    on_connected(progress.error);
    return;
  }
  connect_next();
}

ClusterTally& Session::tally_of_cluster() const {
  return route_.picker.snapshot()->cluster->tally(worker_.index());
}

bool Session::may_be_connected_to_itself() const {
  return worker_.local_ports().may_be_picked(connecting_->lease.backend()->address().port(), now());
}

void Session::on_connect_deadline() {
  switch (connecting_->wait) {
    case Connecting::Wait::own_shortage:
      if (now() >= connecting_->deadline) {
        refuse(EndReason::resource);
      } else {
        connect_next();
      }
      return;
    case Connecting::Wait::full_backlog:
      if (now() < connecting_->attempt_deadline) {
        try_full_backlog_again();
        return;
      }
      break;
    case Connecting::Wait::place:
      refuse(EndReason::limit);
      return;
    case Connecting::Wait::verdict:
      break;
  }
  // Cut short by the deadline of all attempts, this one was not given its time.
  const Duration timeout = route_.picker.snapshot()->settings.connect_timeout;
  const bool had_its_time = connecting_->attempt_deadline - connecting_->attempt_began >= timeout;
  end_attempt(had_its_time ? ConnectOutcome::timeout : ConnectOutcome::abandoned);
  connect_next();
}

void Session::try_full_backlog_again() {
  const int error = connect_again(backend_.fd.get(), connecting_->lease.backend()->address());
  if (error == EAGAIN) {
    worker_.deadlines().schedule(*this,
                                 std::min(now() + kRetryDelay, connecting_->attempt_deadline));
    return;
  }
  if (error == 0) {
    backend_.is_writable = true;
    on_connected(0);
    return;
  }
  fail_attempt(error);
  connect_next();
}

void Session::on_connected(int error) {
  if (connecting_->is_given_up) {
    end_attempt(ConnectOutcome::connected);
    connect_next();
    return;
  }
  Lease& lease = connecting_->lease;
  const ClusterSettings& settings = route_.picker.snapshot()->settings;
  is_start_awaited_ = settings.outlier_detection.is_on(Detector::early_close) && !lease.is_trial();
  generation_ = lease.permit().generation;
  lease.settle(ConnectOutcome::connected, now(), worker_.random());
  place_ = lease.take_place();
  connect_ms_ = static_cast<int32_t>(to_ms(now() - started_at_));
  tally_of_cluster().connect_ms.add(static_cast<uint64_t>(connect_ms_));
  place_.backend()
      ->tally(worker_.index())
      .connect_ms.add(static_cast<uint64_t>(to_ms(now() - connecting_->attempt_began)));
  connecting_.reset();
  move_to(Phase::relaying);
  if (error != 0) backend_.break_with(error);
  // A connected socket takes bytes; its edge may have come before we were interested.
  client_.is_writable = backend_.is_writable = true;
  last_activity_ = now();
  schedule_relay_deadline();
  advance();
}

// A client's end of stream is not a cancellation, its reset is. (Asked for by SO_ERROR, because
// after a FIN recv() says nothing of a reset.)
bool Session::is_client_gone() const {
  if (!client_.has_hangup) return false;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(client_.fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error != 0;
}

void Session::refuse(EndReason reason) {
  if (listener_->config().on_unavailable == OnUnavailable::reset) reset_on_close(client_.fd.get());
  finish(reason);
}

}  // namespace sluice
