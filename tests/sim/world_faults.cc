// The world's part on picks, and on the rules that a broken world breaks for them.
#include <algorithm>

#include "world.h"

namespace sluice::sim {

using std::chrono::seconds;

World::Picked World::pick(const Session& session, Picker& picker) {
  slow_starters_ = 0;
  if (options_.fault != Fault::none && chance(2)) {
    if (auto lease = pick_against_the_rules(*picker.snapshot())) return std::move(*lease);
    auto worse = session.tried.empty() ? pick_a_worse_one(picker.snapshot()) : std::nullopt;
    if (worse) return std::move(*worse);
  }
  if (session.tried.empty() && is_broken(Fault::ignores_weights, 50)) {
    if (auto lease = pick_of_the_first_level(picker.snapshot())) return std::move(*lease);
  }
  if (is_broken(Fault::turns_clients_away, 1)) return tl::unexpected(Picker::Refusal::unavailable);
  const bool looks_ahead = is_broken(Fault::looks_ahead_in_time, 20);
  const bool forgets = is_broken(Fault::forgets_tried, 50);
  const bool moves = is_broken(Fault::moves_clients, 5);
  const PickRequest request{
      .tried = forgets ? std::span<const Backend* const>() : session.tried,
      .now = looks_ahead ? now_ + seconds(2) : now_,
      .client = moves ? any_client() : session.client,
  };
  auto lease = picker.pick(request);
  const bool has_searched = lease || lease.error() != Picker::Refusal::over_budget;
  if (has_searched) slow_starters_ = picker.last_decision().passed_over(Obstacle::slow_start);
  if (lease) return pick_again(std::move(lease), request, picker);
  if (options_.fault == Fault::mistakes_limits && lease.error() == Picker::Refusal::at_limit) {
    return tl::unexpected(Picker::Refusal::unavailable);
  }
  if (lease.error() == Picker::Refusal::over_budget && options_.fault == Fault::ignores_budget) {
    if (auto retry = pick_of_the_first_level(picker.snapshot())) return std::move(*retry);
  }
  return lease;
}

// A world that does not like whom it got gives it back and asks once more, as another client.
World::Picked World::pick_again(Picked picked, const PickRequest& request, Picker& picker) {
  const ClusterSettings& settings = picker.snapshot()->settings;
  if (settings.retry_budget.is_enabled || settings.limits != ConnectionLimits{}) return picked;
  const BalancePolicy policy = settings.balance.policy;
  constexpr uint32_t kHeavy = 3;
  constexpr int kTries = 20;
  for (int tries = 0; tries < kTries && picked && !picked->is_trial(); ++tries) {
    const bool is_heavy = picked->backend()->weight() >= kHeavy;
    const bool has_passed = picker.last_decision().passed_over(Obstacle::slow_start) > 0;
    const auto& levels = picker.snapshot()->levels;
    const bool is_of_the_first =
        std::find(levels.front().backends.begin(), levels.front().backends.end(),
                  picked->backend()) != levels.front().backends.end();
    const bool is_disliked =
        (policy == BalancePolicy::least_connections && !is_of_the_first && request.tried.empty() &&
         is_broken(Fault::ignores_shares, 50)) ||
        (options_.fault == Fault::hurries_the_young && has_passed) ||
        (policy == BalancePolicy::round_robin && is_heavy &&
         is_broken(Fault::skips_turns_of_the_heavy, 50)) ||
        (policy == BalancePolicy::maglev && is_heavy && request.client.bytes[0] == kStrangers &&
         is_broken(Fault::draws_again_for_the_heavy, 50));
    if (!is_disliked) return picked;
    picked->release();
    PickRequest another = request;
    if (request.client.bytes[0] == kStrangers) another.client = any_stranger();
    picked = picker.pick(another);
    slow_starters_ = picker.last_decision().passed_over(Obstacle::slow_start);
  }
  return picked;
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
          (options_.fault == Fault::second_trial && is_ready && is_healthy && has_trial_out) ||
          (options_.fault == Fault::exceeds_limits && is_ready && is_healthy &&
           breaker == BreakerState::closed && snapshot.settings.limits.of_backend &&
           backend->active_connections() == *snapshot.settings.limits.of_backend);
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
  const bool is_wrong = options_.fault == Fault::prefers_the_last_priority ||
                        (options_.fault == Fault::piles_up_connections && is_by_load) ||
                        (options_.fault == Fault::skips_the_first &&
                         snapshot->settings.balance.policy == BalancePolicy::first);
  if (!is_wrong) return std::nullopt;
  if (options_.fault == Fault::skips_the_first) {
    if (level.backends.back()->weight() == 0) return std::nullopt;
    const auto permit = cluster_->admit(*snapshot, level, *level.backends.back(), now_);
    if (!permit) return std::nullopt;
    return Lease(snapshot, level.backends.back(), *permit);
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
  const bool is_any_right =
      !is_plain() || snapshot->settings.balance.policy == BalancePolicy::round_robin;
  if (snapshot->levels.empty() || !is_any_right) return std::nullopt;
  const PriorityLevel& level = snapshot->levels.front();
  for (const auto& backend : level.backends) {
    if (backend->weight() == 0) continue;
    const auto permit = cluster_->admit(*snapshot, level, *backend, now_);
    if (permit) return Lease(snapshot, backend, *permit);
  }
  return std::nullopt;
}

}  // namespace sluice::sim
