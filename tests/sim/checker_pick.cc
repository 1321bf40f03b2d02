// The checker's part on picks: who may be chosen, and who has to be.
#include <fmt/format.h>

#include <algorithm>

#include "checker.h"

namespace sluice::sim {

std::string_view Checker::obstacle_to(const Model& model, const ClusterSnapshot& snapshot,
                                      uint32_t priority, TimePoint now) const {
  if (model.weight == 0) return "has weight 0";
  if (model.admin_state != AdminState::ready) return "is draining or in maintenance";
  if (snapshot.settings.has_probes && !is_panic(priority)) {
    if (model.health == Health::unhealthy) return "is unhealthy";
    if (model.health == Health::unknown && model.backend->arrival() == Arrival::later &&
        healthy_backends() > 0) {
      return "waits for its first probe";
    }
  }
  if (!snapshot.settings.circuit_breaker.is_enabled) return "";
  if (model.breaker == BreakerState::open && now < model.retry_at) return "has an open breaker";
  if (model.breaker == BreakerState::half_open && model.trials_out > 0) return "has its trial out";
  return "";
}

void Checker::picking(const ClusterSnapshot& snapshot, const TriedBackends& tried, TimePoint now) {
  candidates_.clear();
  for (size_t level = 0; level < snapshot.levels.size(); ++level) {
    for (const auto& backend : snapshot.levels[level].backends) {
      const Model& model = model_of(backend);
      const bool was_tried = std::find(tried.begin(), tried.end(), backend.get()) != tried.end();
      candidates_.push_back({&model, level, was_tried,
                             obstacle_to(model, snapshot, snapshot.levels[level].priority, now)});
    }
  }
  shares_up_to_ = shares_up_to(snapshot);
  check_shares(snapshot);
}

// A backend that a reload has removed may still be picked by a worker that has not heard of it, but
// the model knows nothing of it any more.
Checker::Ticket Checker::picked(const ClusterSnapshot& snapshot,
                                const std::shared_ptr<Backend>& chosen, bool is_trial) {
  const Candidate* chosen_candidate = nullptr;
  for (const Candidate& candidate : candidates_) {
    if (candidate.model->backend == chosen) chosen_candidate = &candidate;
    if (!chosen && candidate.model->is_member && candidate.obstacle.empty()) {
      fail("refuses only when nobody is available", candidate.model->backend->name());
    }
  }
  if (!chosen) return {};
  if (!chosen_candidate) {
    fail("picks from its snapshot", chosen->name());
    return {};
  }
  check_choice(snapshot, *chosen_candidate);
  Model& model = models_.at(chosen.get());
  ++model.connections;
  if (is_trial) {
    ++trials_;
    if (++model.trials_out > 1 && model.is_member) fail("one trial at a time", chosen->name());
  }
  const bool has_breaker = snapshot.settings.circuit_breaker.is_enabled;
  if (model.is_member && has_breaker && is_trial != (model.breaker == BreakerState::half_open)) {
    fail("trial when half_open", chosen->name());
  }
  return {chosen, model.era, is_trial, snapshot.settings.circuit_breaker};
}

void Checker::check_choice(const ClusterSnapshot& snapshot, const Candidate& chosen) {
  const Backend& backend = *chosen.model->backend;
  if (chosen.model->is_member && !chosen.obstacle.empty()) {
    fail("nobody is sent where none may be", fmt::format("{} {}", backend.name(), chosen.obstacle));
  }
  check_level(chosen);
  for (const Candidate& other : candidates_) {
    if (other.model == chosen.model || !other.model->is_member || !other.obstacle.empty()) continue;
    const Backend& better = *other.model->backend;
    if (other.was_tried != chosen.was_tried) {
      if (chosen.was_tried) fail("untried ones first", better.name());
      continue;
    }
    // The chosen one's count has the new connection already.
    const bool is_least = snapshot.settings.balance.policy != BalancePolicy::least_connections ||
                          other.level != chosen.level ||
                          uint64_t{better.active_connections() + 1} * backend.weight() >=
                              uint64_t{backend.active_connections()} * better.weight();
    if (!is_least) fail("fewest connections first", better.name());
  }
}

}  // namespace sluice::sim
