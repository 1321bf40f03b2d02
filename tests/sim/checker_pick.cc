// The checker's part on picks: who may be chosen, and who has to be.
#include <fmt/format.h>

#include <algorithm>

#include "checker.h"

namespace sluice::sim {
namespace {

constexpr std::string_view kIsFull = "has as many connections as it may";

}  // namespace

std::string_view Checker::unfitness(const Model& model, const ClusterSnapshot& snapshot,
                                    uint32_t priority) const {
  if (model.weight == 0) return "has weight 0";
  if (model.admin_state != AdminState::ready) return "is draining or in maintenance";
  if (snapshot.settings.has_probes && !is_panic(priority)) {
    if (model.health == Health::unhealthy) return "is unhealthy";
    if (model.health == Health::unknown && model.backend->arrival() == Arrival::later &&
        healthy_backends() > 0) {
      return "waits for its first probe";
    }
  }
  return "";
}

std::string_view Checker::obstacle_to(const Model& model, const ClusterSnapshot& snapshot,
                                      uint32_t priority, TimePoint now) const {
  const std::string_view unfit = unfitness(model, snapshot, priority);
  if (!unfit.empty()) return unfit;
  if (snapshot.settings.circuit_breaker.is_enabled) {
    if (model.breaker == BreakerState::open && now < model.retry_at) return "has an open breaker";
    if (model.breaker == BreakerState::half_open && model.trials_out > 0) {
      return "has its trial out";
    }
  }
  const ConnectionLimits& limits = snapshot.settings.limits;
  const bool is_full = (limits.of_backend && model.connections >= *limits.of_backend) ||
                       (limits.of_cluster && connections_ >= *limits.of_cluster);
  return is_full ? kIsFull : "";
}

void Checker::picking(const ClusterSnapshot& snapshot, const Asker& asker, TimePoint now) {
  worker_ = asker.worker;
  client_ = asker.client;
  now_ = now;
  is_retry_ = !asker.tried.empty();
  look_at_candidates(snapshot, asker.tried, now);
  look_at_turns(snapshot);
  shares_up_to_ = shares_up_to(snapshot);
  check_shares(snapshot);
}

void Checker::look_at_candidates(const ClusterSnapshot& snapshot, const TriedBackends& tried,
                                 TimePoint now) {
  now_ = now;
  candidates_.clear();
  for (size_t level = 0; level < snapshot.levels.size(); ++level) {
    for (const auto& backend : snapshot.levels[level].backends) {
      const Model& model = model_of(backend);
      const bool was_tried = std::find(tried.begin(), tried.end(), backend.get()) != tried.end();
      candidates_.push_back({&model, level, was_tried,
                             obstacle_to(model, snapshot, snapshot.levels[level].priority, now)});
      look_at_age(snapshot, candidates_.back());
    }
  }
}

// A backend that a reload has removed may still be picked by a worker that has not heard of it, but
// the model knows nothing of it any more.
Checker::Ticket Checker::picked(const ClusterSnapshot& snapshot, const Pick& pick) {
  check_budget(snapshot, pick);
  check_slow_start(snapshot, pick);
  const std::shared_ptr<Backend>& chosen = pick.backend;
  const bool is_trial = pick.is_trial;
  if (!chosen) {
    check_refusal(snapshot, *pick.refusal);
    return {};
  }
  const Candidate* chosen_candidate = nullptr;
  for (const Candidate& candidate : candidates_) {
    if (candidate.model->backend == chosen) chosen_candidate = &candidate;
  }
  if (!chosen_candidate) {
    fail("picks from its snapshot", chosen->name());
    return {};
  }
  check_choice(snapshot, *chosen_candidate);
  Model& model = models_.at(chosen.get());
  ++model.connections;
  ++connections_;
  if (is_trial) {
    ++trials_;
    if (++model.trials_out > 1 && model.is_member) fail("one trial at a time", chosen->name());
  }
  const bool has_breaker = snapshot.settings.circuit_breaker.is_enabled;
  if (model.is_member && has_breaker && is_trial != (model.breaker == BreakerState::half_open)) {
    fail("trial when half_open", chosen->name());
  }
  const ClusterSettings& settings = told(snapshot);
  return {chosen, model.era, is_trial, settings.circuit_breaker, settings.outlier_detection};
}

void Checker::check_choice(const ClusterSnapshot& snapshot, const Candidate& chosen) {
  const Backend& backend = *chosen.model->backend;
  if (chosen.model->is_member && !chosen.obstacle.empty()) {
    fail("nobody is sent where none may be", fmt::format("{} {}", backend.name(), chosen.obstacle));
  }
  check_level(snapshot, chosen);
  check_order(snapshot, chosen);
  check_client(snapshot, backend);
  check_weights(snapshot, chosen);
  check_turn(snapshot, chosen);
  for (const Candidate& other : candidates_) {
    if (other.model == chosen.model || !other.model->is_member || !other.obstacle.empty()) continue;
    const Backend& better = *other.model->backend;
    if (other.was_tried != chosen.was_tried) {
      if (chosen.was_tried) fail("untried ones first", better.name());
      continue;
    }
    check_least(snapshot, chosen, other);
  }
}

// Of a backend that a reload has removed nobody knows what speaks against it.
bool Checker::has_strangers() const {
  return std::any_of(candidates_.begin(), candidates_.end(),
                     [](const Candidate& candidate) { return !candidate.model->is_member; });
}

// Where the whole cluster is at its limit nobody is asked while the control loop knows of somebody
// available, and its news of a breaker may be late.
bool Checker::is_known_full(const ClusterSnapshot& snapshot) const {
  const std::optional<uint32_t>& most = snapshot.settings.limits.of_cluster;
  if (!most || connections_ < *most) return false;
  return std::any_of(models_.begin(), models_.end(), [this](const auto& entry) {
    return entry.second.is_member && is_noted_available(entry.second);
  });
}

void Checker::check_refusal(const ClusterSnapshot& snapshot, Picker::Refusal refusal) {
  if (refusal == Picker::Refusal::over_budget) return;
  bool is_full = false;
  for (const Candidate& candidate : candidates_) {
    if (!candidate.model->is_member) continue;
    is_full = is_full || candidate.obstacle == kIsFull;
    if (candidate.obstacle.empty()) {
      fail("refuses only when nobody is available", candidate.model->backend->name());
    }
  }
  const bool is_told_full = refusal == Picker::Refusal::at_limit;
  if (is_full == is_told_full || (is_told_full && has_strangers())) return;
  if (is_told_full && is_known_full(snapshot)) return;
  fail("at_limit when only a limit is in the way",
       fmt::format("{} levels, {}", snapshot.levels.size(), is_full ? "unavailable" : "at_limit"));
}

}  // namespace sluice::sim
