// The world's part on clients: their sessions, and the rules that a broken world breaks for them.
#include <algorithm>

#include "world.h"

namespace sluice::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kClientsEvery = milliseconds(20);
constexpr Duration kConnectTimeout = seconds(1);
constexpr Duration kConnectTakes = milliseconds(5);
constexpr Duration kSessionLasts = milliseconds(400);
constexpr uint32_t kConnectAttempts = 3;
constexpr double kLocalErrorPercent = 1;
constexpr double kAbandonedPercent = 1;
constexpr double kDroppedPercent = 0.5;

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
  session.first_snapshot = pickers_[worker]->snapshot();
  attempt(id);
}

void World::attempt(uint64_t id) {
  Session& session = sessions_.at(id);
  Picker& picker = *pickers_[session.worker];
  // Held over the pick: a reload may have swapped it by the next attempt.
  const auto snapshot = picker.snapshot();
  checker_.picking(*snapshot, session.tried, now_);
  auto lease = pick(session, picker);
  session.ticket =
      checker_.picked(*snapshot, lease ? lease->backend() : nullptr, lease && lease->is_trial());
  if (!lease) {
    sessions_.erase(id);
    return;
  }
  session.lease = std::move(*lease);
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

std::optional<Lease> World::pick(const Session& session, Picker& picker) {
  if (options_.fault != Fault::none && chance(2)) {
    if (auto lease = pick_against_the_rules(*picker.snapshot())) return lease;
    auto worse = session.tried.empty() ? pick_a_worse_one(picker.snapshot()) : std::nullopt;
    if (worse) return worse;
  }
  if (session.tried.empty() && is_broken(Fault::ignores_shares, 50)) {
    if (auto lease = pick_of_the_first_level(picker.snapshot())) return lease;
  }
  if (is_broken(Fault::turns_clients_away, 1)) return std::nullopt;
  const bool looks_ahead = is_broken(Fault::looks_ahead_in_time, 20);
  const bool forgets = is_broken(Fault::forgets_tried, 50);
  auto lease = picker.pick({.tried = forgets ? std::span<const Backend* const>() : session.tried,
                            .now = looks_ahead ? now_ + seconds(2) : now_,
                            .client = {}});
  if (!lease) return std::nullopt;
  return std::move(*lease);
}

// A connection that nobody admitted, where exactly one thing speaks against it.
std::optional<Lease> World::pick_against_the_rules(const ClusterSnapshot& snapshot) {
  for (const PriorityLevel& level : snapshot.levels) {
    for (const auto& backend : level.backends) {
      const BreakerState breaker = backend->breaker().state(now_);
      const bool is_ready = backend->admin_state() == AdminState::ready;
      const bool is_healthy = backend->health() == Health::healthy;
      const bool has_trial_out =
          breaker == BreakerState::half_open && backend->breaker().refuses(now_);
      const bool is_wrong =
          (options_.fault == Fault::ignores_breaker && is_ready && is_healthy &&
           breaker == BreakerState::open) ||
          (options_.fault == Fault::ignores_health && is_ready && !level.in_panic->load() &&
           snapshot.settings.has_probes && backend->health() == Health::unhealthy &&
           breaker == BreakerState::closed) ||
          (options_.fault == Fault::ignores_admin_state && !is_ready) ||
          (options_.fault == Fault::second_trial && is_ready && is_healthy && has_trial_out);
      if (!is_wrong || backend->weight() == 0) continue;
      backend->add_connection();
      return Lease(pickers_[0]->snapshot(), backend,
                   Permit{backend->breaker().generation(), breaker == BreakerState::half_open});
    }
  }
  return std::nullopt;
}

// An admitted connection, but not on the backend that comes first.
std::optional<Lease> World::pick_a_worse_one(
    const std::shared_ptr<const ClusterSnapshot>& snapshot) {
  if (snapshot->levels.empty()) return std::nullopt;
  const bool is_by_load = snapshot->settings.balance.policy == BalancePolicy::least_connections;
  const PriorityLevel& level = options_.fault == Fault::prefers_the_last_priority
                                   ? snapshot->levels.back()
                                   : snapshot->levels.front();
  if (options_.fault != Fault::prefers_the_last_priority &&
      (options_.fault != Fault::piles_up_connections || !is_by_load)) {
    return std::nullopt;
  }
  const auto fullest = std::max_element(level.backends.begin(), level.backends.end(),
                                        [](const auto& a, const auto& b) {
                                          return a->active_connections() < b->active_connections();
                                        });
  if ((*fullest)->weight() == 0) return std::nullopt;
  const auto permit = cluster_->admit(*snapshot, level, **fullest, now_);
  if (!permit) return std::nullopt;
  return Lease(snapshot, *fullest, *permit);
}

// Whoever admits, in the order of the list.
std::optional<Lease> World::pick_of_the_first_level(
    const std::shared_ptr<const ClusterSnapshot>& snapshot) {
  const bool is_any_right = snapshot->settings.balance.policy == BalancePolicy::round_robin;
  if (snapshot->levels.empty() || !is_any_right) return std::nullopt;
  const PriorityLevel& level = snapshot->levels.front();
  for (const auto& backend : level.backends) {
    if (backend->weight() == 0) continue;
    const auto permit = cluster_->admit(*snapshot, level, *backend, now_);
    if (permit) return Lease(snapshot, backend, *permit);
  }
  return std::nullopt;
}

void World::end_connect(uint64_t id) {
  Session& session = sessions_.at(id);
  if (chance(kDroppedPercent)) {
    checker_.settling(session.ticket, ConnectOutcome::abandoned);
    return end_session(id);
  }
  report_outcome(session);
  if (session.outcome == ConnectOutcome::connected) {
    return schedule(around(kSessionLasts), EventKind::session_ends, id);
  }
  session.lease.release();
  checker_.released(session.ticket);
  session.ticket.backend.reset();
  if (session.attempts < kConnectAttempts && session.outcome != ConnectOutcome::abandoned) {
    return attempt(id);
  }
  sessions_.erase(id);
}

void World::report_outcome(Session& session) {
  checker_.settling(session.ticket, session.outcome);
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

void World::end_session(uint64_t id) {
  Session& session = sessions_.at(id);
  session.lease.release();
  checker_.released(session.ticket);
  sessions_.erase(id);
}

}  // namespace sluice::sim
