// The checker's part on breakers: what connects and trials have to bring about, and that nothing
// else does.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "checker.h"

namespace sluice::sim {

void Checker::settling(const Ticket& ticket, ConnectOutcome outcome, TimePoint now) {
  Model& model = models_.at(ticket.backend.get());
  acting_settings_ = ticket.settings;
  acting_outliers_ = ticket.outliers;
  if (!model.is_member) has_acted_on_stranger_ = true;
  if (!ticket.settings.is_enabled || ticket.era != model.era) return;
  if (ticket.is_trial) return judge_trial(model, ticket, outcome);
  watch_connect(model, ticket, outcome, now);
  judge_connect(model, ticket, outcome);
}

void Checker::judge_connect(Model& model, const Ticket& ticket, ConnectOutcome outcome) {
  if (outcome == ConnectOutcome::connected) {
    model.failures_in_row = 0;
  } else if (is_backend_failure(outcome)) {
    ++model.failures_in_row;
    if (model.failures_in_row >= ticket.settings.failure_threshold) {
      expect(model, BreakerState::open);
    }
  }
}

void Checker::judge_trial(Model& model, const Ticket& ticket, ConnectOutcome outcome) {
  --model.trials_out;
  if (outcome == ConnectOutcome::connected) {
    ++model.successes_in_row;
    if (model.successes_in_row >= ticket.settings.success_threshold) {
      expect(model, BreakerState::closed);
    }
  } else if (is_backend_failure(outcome)) {
    expect(model, BreakerState::open);
  }
}

void Checker::heard_breaker(Model& model, const Transition& transition) {
  const std::string details = fmt::format("{} {}->{}: {}", transition.backend, transition.from,
                                          transition.to, transition.why);
  if (transition.from != name(model.breaker)) fail("chain", details);
  const bool may_be_ejection = judged_by_ != nullptr && model.breaker == BreakerState::closed &&
                               transition.to == name(BreakerState::open);
  const bool is_ejection = may_be_ejection && settle_proposals(&model);
  if (!is_ejection && !is_founded(model, transition.to, transition.at)) {
    fail("founded transitions", details);
  }
  if (expected_breaker_ && expected_breaker_->backend == model.backend.get()) {
    expected_breaker_.reset();
  }
  ++model.era;
  model.failures_in_row = model.trials_out = model.passed_since_opening = 0;
  if (transition.to == name(BreakerState::open)) {
    heard_open(model, transition);
  } else if (transition.to == name(BreakerState::half_open)) {
    model.breaker = BreakerState::half_open;
    model.successes_in_row = 0;
  } else {
    model.breaker = BreakerState::closed;
    model.ejected_by = Detector::none;
    model.outliers.closed();
    begin_slow_start(model, transition.at);
  }
}

// What it opens for, and how often it has done so, is known before.
void Checker::heard_open(Model& model, const Transition& transition) {
  const bool was_closed = model.breaker == BreakerState::closed;
  const bool has_outliers = acting_outliers_.is_enabled;
  model.breaker = BreakerState::open;
  model.opened_at = transition.at;
  model.retry_at = transition.retry_at.value_or(TimePoint::max());
  if (restored_from_ != nullptr) {
    model.failed_trials = restored_from_->failed_trials;
    return check_restored_period(model, transition.at);
  }
  if (!was_closed) ++model.failed_trials;
  if (was_closed) {
    model.failed_trials = has_outliers ? model.outliers.doublings() : 0;
    if (has_outliers) model.outliers.opened();
    if (model.ejected_by == Detector::none) {
      ++ejections_[static_cast<size_t>(Detector::consecutive_failures)];
    }
  }
  check_open_period(model, transition.at);
}

// Either the action in progress has to bring it about, or its time has come, or it is switched off.
bool Checker::is_founded(const Model& model, std::string_view to, TimePoint at) const {
  if (expected_breaker_ && expected_breaker_->backend == model.backend.get() &&
      expected_breaker_->to == to) {
    return true;
  }
  if (to == name(BreakerState::half_open)) {
    return model.breaker == BreakerState::open && at >= model.retry_at;
  }
  return to == name(BreakerState::closed) &&
         (!settings_.circuit_breaker.is_enabled || is_ejected_by_what_is_off(model));
}

void Checker::check_open_period(const Model& model, TimePoint at) {
  const bool is_ejected = acting_outliers_.is_enabled && model.ejected_by != Detector::none;
  const auto base = static_cast<double>(
      (is_ejected ? acting_outliers_.base_ejection : acting_settings_.recovery_timeout).count());
  const auto most = static_cast<double>(
      (is_ejected ? acting_outliers_.max_ejection : acting_settings_.max_recovery_timeout).count());
  const double period = std::min(most, std::ldexp(base, static_cast<int>(model.failed_trials)));
  const double jitter = period * acting_settings_.jitter / 100 + 1;
  const auto actual = static_cast<double>((model.retry_at - at).count());
  if (actual < period - jitter || actual > period + jitter) {
    fail("open period", fmt::format("{}: {} ms after {} failed trials", model.backend->name(),
                                    actual / 1e6, model.failed_trials));
  }
}

}  // namespace sluice::sim
