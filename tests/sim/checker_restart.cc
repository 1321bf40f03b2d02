// The checker's part on restarts: what a new process has to know of the backends, and that it knows
// nothing else.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "checker.h"

namespace sluice::sim {

void Checker::saving() {
  saved_.clear();
  for (const auto& [backend, model] : models_) {
    if (!model.is_member) continue;
    const Memory memory{
        .configured = model.configured,
        .admin_state = model.admin_state,
        .weight = model.weight,
        .is_unhealthy = model.health == Health::unhealthy,
        .is_out = model.breaker != BreakerState::closed,
        .ejected_by = model.ejected_by,
        // Its time has come.
        .retry_at = model.breaker == BreakerState::half_open ? model.opened_at : model.retry_at,
        .failed_trials = model.failed_trials};
    const bool is_as_configured = memory.admin_state == memory.configured.admin_state &&
                                  memory.weight == memory.configured.weight;
    if (is_as_configured && !memory.is_unhealthy && !memory.is_out) continue;
    saved_.emplace(backend->name(), memory);
  }
}

void Checker::restarted(Kept kept) {
  kept_ = kept == Kept::counts ? saved_ : std::map<std::string, Memory>();
  models_.clear();
  cluster_ = nullptr;
  connections_ = 0;
  told_panic_.clear();
  told_.clear();
  table_weights_.clear();
  turns_.clear();
  attempts_.clear();
  pending_.clear();
  stuck_since_.reset();
  was_freed_ = false;
  ejections_ = refusals_ = {};
}

// The configuration wins: what it says now and did not say then, and what it has switched off.
void Checker::restoring(const std::string& backend, TimePoint now) {
  now_ = now;
  const auto kept = kept_.find(backend);
  if (kept == kept_.end()) return;
  for (auto& [known, model] : models_) {
    const Memory& memory = kept->second;
    if (!model.is_member || known->name() != backend) continue;
    if (model.configured.address != memory.configured.address) continue;
    restored_from_ = &memory;
    if (model.configured.admin_state == memory.configured.admin_state) {
      model.admin_state = memory.admin_state;
    }
    if (model.configured.weight == memory.configured.weight) model.weight = memory.weight;
    if (memory.is_unhealthy && settings_.has_probes) {
      expected_health_ = Expected{known, name(Health::unhealthy)};
    }
    if (!memory.is_out || !may_be_out_again(model, memory.ejected_by)) continue;
    model.ejected_by = memory.ejected_by;
    expect(model, BreakerState::open);
  }
  turns_.clear();
}

// The bounds of an ejection are those of a new one.
bool Checker::may_be_out_again(const Model& model, Detector ejected_by) {
  if (!settings_.circuit_breaker.is_enabled) return false;
  if (ejected_by == Detector::none) return true;
  if (!is_on(ejected_by, settings_.outlier_detection)) return false;
  judged_by_ = latest_;
  const Verdict verdict = verdict_on(model);
  judged_by_ = nullptr;
  return verdict == Verdict::yes;
}

void Checker::restored(const std::string& backend, bool was_there) {
  const bool is_there = std::exchange(restored_from_, nullptr) != nullptr;
  if (is_there != was_there) fail("restores who is there", backend);
  if (expected_breaker_ || expected_health_) fail("what was known is known again", backend);
  if (!is_there) return;
  kept_.erase(backend);
  for (auto& [known, model] : models_) {
    if (model.is_member && known->name() == backend) {
      model.is_noted_closed = model.breaker == BreakerState::closed;
    }
  }
}

// As it was, or at once when that has passed meanwhile, or as late as may be.
void Checker::check_restored_period(const Model& model, TimePoint at) {
  const bool is_ejected = model.ejected_by != Detector::none;
  const TimePoint latest = at + (is_ejected ? settings_.outlier_detection.max_ejection
                                            : settings_.circuit_breaker.max_recovery_timeout);
  const TimePoint expected = std::clamp(restored_from_->retry_at, at, latest);
  if (model.retry_at == expected) return;
  fail("restored open period", fmt::format("{}: {} ms, not {}", model.backend->name(),
                                           to_ms(model.retry_at - at), to_ms(expected - at)));
}

// Whoever is not there yet may come with a reload.
void Checker::restored_all() {
  for (const auto& [backend, model] : models_) {
    const auto kept = kept_.find(backend->name());
    if (!model.is_member || kept == kept_.end()) continue;
    if (kept->second.configured.address != model.configured.address) continue;
    fail("what was known is known again", backend->name());
  }
}

}  // namespace sluice::sim
