// The world's part on clients: their sessions, from the first attempt to the end.
#include <fmt/format.h>

#include <algorithm>

#include "world.h"

namespace sluice::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kConnectTimeout = seconds(1);
constexpr Duration kSessionLasts = milliseconds(400);
constexpr uint32_t kConnectAttempts = 3;
constexpr double kClosedEarlyPercent = 70;  // by a backend that does so now
constexpr double kLocalErrorPercent = 1;
constexpr double kAbandonedPercent = 1;
constexpr double kDroppedPercent = 0.5;
constexpr double kImpatientPercent = 20;
constexpr Duration kCallTakes = std::chrono::microseconds(100);

}  // namespace

// How a connect begun now will go.
ConnectOutcome World::experience(const std::string& backend) {
  if (chance(kLocalErrorPercent)) return ConnectOutcome::local_error;
  if (chance(kAbandonedPercent)) return ConnectOutcome::abandoned;
  const auto number = static_cast<size_t>(backend.back() - '0');
  switch (truths_[number]) {
    case Truth::up:
      return ConnectOutcome::connected;
    case Truth::refusing:
      return ConnectOutcome::refused;
    case Truth::hanging:
      return ConnectOutcome::timeout;
    case Truth::flapping:
      return chance(50) ? ConnectOutcome::connected : ConnectOutcome::reset;
  }
  return ConnectOutcome::connected;
}

void World::admit_client(size_t worker) {
  schedule(around(kClientsEvery), EventKind::client_comes, worker);
  const uint64_t id = next_session_++;
  Session& session = sessions_[id];
  session.worker = worker;
  session.client = any_client();
  session.first_snapshot = pickers_[worker]->snapshot();
  attempt(id);
}

// Half of them from a few addresses that come again and again, the others from anywhere.
IpBytes World::any_client() {
  IpBytes client{.bytes = {}, .size = 4};
  const bool is_regular = chance(50);
  if (!is_regular) return any_stranger();
  client.bytes[0] = 10;
  client.bytes[3] = static_cast<uint8_t>(random_.below(32));
  return client;
}

IpBytes World::any_stranger() {
  IpBytes client{.bytes = {}, .size = 4};
  client.bytes[0] = kStrangers;
  client.bytes[3] = static_cast<uint8_t>(random_.below(32));
  client.bytes[1] = static_cast<uint8_t>(random_.below(256));
  client.bytes[2] = static_cast<uint8_t>(random_.below(256));
  return client;
}

// As the proxy does it: whoever comes does not go before those who wait.
void World::attempt(uint64_t id) {
  const Session& session = sessions_.at(id);
  const bool is_newcomer = session.attempts == 0 && !session.pending;
  if (is_newcomer && cluster_->pending().waiting() > 0 && !enter_queue(id)) return;
  Picker& picker = *pickers_[session.worker];
  constexpr int kTriesMax = 10;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    if (is_over(id, picker)) return;
  }
  checker_.fail("a try in vain comes to rest", fmt::format("session {}", id));
}

// One try; false when there has to be another at once.
bool World::is_over(uint64_t id, Picker& picker) {
  Session& session = sessions_.at(id);
  // Held over the pick: a reload may have swapped it by the next attempt.
  const auto snapshot = picker.snapshot();
  const uint64_t calls = cluster_->pending().calls();
  checker_.picking(*snapshot, {session.worker, session.client, session.tried}, now_);
  auto lease = pick(session, picker);
  Checker::Pick result;
  result.slow_starters = slow_starters_;
  if (lease) {
    result.backend = lease->backend();
    result.is_trial = lease->is_trial();
  } else {
    result.refusal = lease.error();
  }
  Checker::Ticket ticket = checker_.picked(*snapshot, result);
  if (lease) {
    leave_queue(session);
    begin_connect(id, std::move(*lease), std::move(ticket));
    return true;
  }
  if (lease.error() != Picker::Refusal::at_limit) {
    leave_queue(session);
    sessions_.erase(id);
    return true;
  }
  if (!session.pending) return !enter_queue(id);
  if (!cluster_->pending().rest(*session.pending, calls)) return false;
  checker_.rested(*session.pending);
  return true;
}

void World::begin_connect(uint64_t id, Lease lease, Checker::Ticket ticket) {
  Session& session = sessions_.at(id);
  session.snapshot = pickers_[session.worker]->snapshot();
  session.ticket = std::move(ticket);
  session.lease = std::move(lease);
  session.tried.push_back(session.lease.backend().get());
  ++session.attempts;
  session.outcome = experience(session.lease.backend()->name());
  if (session.lease.is_trial() && is_broken(Fault::loses_trial, 20)) {
    lost_.push_back(std::move(session.lease));
    sessions_.erase(id);
    return;
  }
  const bool is_late = session.outcome == ConnectOutcome::timeout;
  schedule(is_late ? kConnectTimeout : around(kConnectTakes), EventKind::connect_ends, id);
}

// True when nobody is before it and it has to try at once. Refused where too many wait already.
bool World::enter_queue(uint64_t id) {
  Session& session = sessions_.at(id);
  const PendingSettings& settings = pickers_[session.worker]->snapshot()->settings.pending;
  const auto entry = cluster_->pending().enter(call_, settings.clients_max);
  checker_.entered(entry, settings);
  if (!entry) {
    sessions_.erase(id);
    return false;
  }
  session.pending = entry->ticket;
  pending_[entry->ticket] = id;
  const bool is_impatient = chance(kImpatientPercent);
  schedule(is_impatient ? around(settings.timeout / 2) : settings.timeout,
           EventKind::client_gives_up, id);
  return entry->is_its_turn;
}

void World::leave_queue(Session& session) {
  if (!session.pending) return;
  const PendingQueue::Ticket ticket = *session.pending;
  session.pending.reset();
  pending_.erase(ticket);
  checker_.left(ticket);
  cluster_->pending().leave(ticket);
}

// The word is passed on to the worker.
void World::hear_call(PendingQueue::Ticket ticket) {
  if (is_stopping_) return;
  if (options_.fault == Fault::calls_the_last) ticket = pending_.rbegin()->first;
  checker_.called(ticket);
  if (is_broken(Fault::loses_calls, 5)) return checker_.rested(ticket);
  schedule(around(kCallTakes), EventKind::queue_calls, ticket);
}

void World::call(PendingQueue::Ticket ticket) {
  const auto found = pending_.find(ticket);
  if (found != pending_.end()) attempt(found->second);
}

void World::give_up(uint64_t id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end() || !found->second.pending) return;
  leave_queue(found->second);
  sessions_.erase(id);
}

void World::check_first_in_line() {
  if (pending_.empty()) return checker_.check_first_in_line(nullptr, {}, now_);
  const Session& first = sessions_.at(pending_.begin()->second);
  checker_.check_first_in_line(pickers_[first.worker]->snapshot().get(), first.tried, now_);
}

void World::end_connect(uint64_t id) {
  Session& session = sessions_.at(id);
  if (chance(kDroppedPercent)) {
    checker_.settling(session.ticket, ConnectOutcome::abandoned, now_);
    return end_session(id);
  }
  report_outcome(session);
  if (session.outcome == ConnectOutcome::connected) return begin_relay(id);
  session.lease.release();
  checker_.released(session.ticket);
  session.ticket.backend.reset();
  if (session.attempts < kConnectAttempts && session.outcome != ConnectOutcome::abandoned) {
    return attempt(id);
  }
  sessions_.erase(id);
}

void World::report_outcome(Session& session) {
  checker_.settling(session.ticket, session.outcome, now_);
  Backend& backend = *session.lease.backend();
  ConnectOutcome told = session.outcome;
  if (options_.fault == Fault::blames_nobody && is_backend_failure(told) && chance(20)) {
    told = ConnectOutcome::abandoned;
  }
  if (options_.fault == Fault::blames_local_errors && told == ConnectOutcome::local_error) {
    told = ConnectOutcome::refused;
  }
  if (is_broken(Fault::trips_too_early, 1)) {
    CircuitBreaker& breaker = backend.breaker();
    breaker.trip(breaker.generation(), now_, latest_->settings.circuit_breaker, random_,
                 [&](const BreakerChange& change) {
                   hear({.kind = Transition::Kind::breaker,
                         .cluster = "web",
                         .backend = backend.name(),
                         .from = name(change.from),
                         .to = name(change.to),
                         .why = "just so",
                         .at = now_,
                         .retry_at = change.retry_at});
                 });
  }
  session.lease.settle(told, now_, random_);
  if (is_broken(Fault::loses_connection, 1)) backend.remove_connection();
}

// Whose backend closes before it has sent anything is soon over.
void World::begin_relay(uint64_t id) {
  Session& session = sessions_.at(id);
  Backend& backend = *session.lease.backend();
  session.is_closed_early =
      close_early_[static_cast<size_t>(backend.name().back() - '0')] && chance(kClosedEarlyPercent);
  if (!session.is_closed_early) {
    checker_.heard_first_byte(session.ticket, *session.snapshot);
    const bool is_deaf = is_broken(Fault::hears_no_first_byte, 80);
    if (!is_deaf) {
      cluster_->record_first_byte(*session.snapshot, backend, session.lease.permit());
    }
  }
  schedule(around(session.is_closed_early ? kConnectTakes : kSessionLasts), EventKind::session_ends,
           id);
}

void World::end_early(const Session& session) {
  const auto record = [&] {
    cluster_->record_early_close(*session.snapshot, *session.lease.backend(),
                                 session.lease.permit(), now_, random_);
  };
  checker_.closing_early(session.ticket, *session.snapshot, now_);
  if (options_.fault != Fault::ejects_nobody) record();
  if (is_broken(Fault::repeats_early_closes, 20)) record();
  checker_.judged();
}

void World::end_session(uint64_t id) {
  Session& session = sessions_.at(id);
  if (session.is_closed_early) end_early(session);
  session.lease.release();
  checker_.released(session.ticket);
  sessions_.erase(id);
}

}  // namespace sluice::sim
