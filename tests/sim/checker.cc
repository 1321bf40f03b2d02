#include "checker.h"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace sluice::sim {

void Checker::fail(const std::string& invariant, const std::string& details) {
  if (!violation_) violation_ = fmt::format("{}: {}", invariant, details);
}

Checker::Model& Checker::model_of(const std::shared_ptr<Backend>& backend) {
  Model& model = models_[backend.get()];
  if (!model.backend) model.backend = backend;
  return model;
}

// Holding on to a backend keeps its address from being used again while the model lives.
void Checker::forget_finished() {
  std::erase_if(models_, [](const auto& entry) {
    const Model& model = entry.second;
    return !model.is_member && model.connections == 0 && model.probes == 0;
  });
}

void Checker::expect(const Model& model, BreakerState to) {
  if (model.is_member) expected_breaker_ = Expected{model.backend.get(), name(to)};
}

void Checker::applying(const ClusterSettings& settings, TimePoint now) {
  settings_ = settings;
  for (auto& [backend, model] : models_) {
    const bool may_recover = settings.has_probes && settings.circuit_breaker.is_enabled;
    if (!may_recover) model.may_recover_since.reset();
    if (may_recover && !model.may_recover_since && is_up_[backend->name()]) {
      model.may_recover_since = now;
    }
  }
}

void Checker::applied(const ClusterSnapshot& snapshot,
                      const std::vector<BackendSettings>& configured, TimePoint now) {
  cluster_ = snapshot.cluster;
  homes_.clear();
  turns_.clear();
  slow_start_ = settings_.slow_start.value_or(Duration::zero());
  for (auto& [backend, model] : models_) model.is_member = false;
  std::map<std::string, BackendSettings> by_name;
  for (const BackendSettings& settings : configured) by_name[settings.name] = settings;
  for (const PriorityLevel& level : snapshot.levels) {
    for (const auto& backend : level.backends) {
      const bool is_new = models_.count(backend.get()) == 0;
      Model& model = model_of(backend);
      model.is_member = true;
      const BackendSettings& wanted = by_name.at(backend->name());
      if (is_new && settings_.has_probes && settings_.circuit_breaker.is_enabled &&
          is_up_[wanted.name]) {
        model.may_recover_since = now;
      }
      if (is_new || wanted.weight != model.configured.weight) model.weight = wanted.weight;
      if (is_new || wanted.admin_state != model.configured.admin_state) {
        model.admin_state = wanted.admin_state;
      }
      model.configured = wanted;
      model.is_noted_closed = model.breaker == BreakerState::closed;
      model.outliers.apply(settings_.outlier_detection);
      limit_slow_start(model, now);
      const bool is_later = is_new && backend->arrival() == Arrival::later;
      if (is_later && !settings_.has_probes) begin_slow_start(model, now);
      if (!settings_.has_probes) model.passed_in_row = model.failed_in_row = 0;
      if (!settings_.has_probes && model.health != Health::unknown) {
        fail("forgets health without probes", wanted.name);
      }
    }
  }
  check_what_is_off();
  renewed(snapshot);
  forget_finished();
}

void Checker::renewed(const ClusterSnapshot& snapshot) {
  told_[&snapshot] = settings_;
  latest_ = &snapshot;
  for (const PriorityLevel& level : snapshot.levels) {
    if (!level.maglev_table) continue;
    auto& weights = table_weights_[level.maglev_table.get()];
    weights.clear();
    for (const auto& backend : level.backends) {
      weights[backend.get()] = models_.at(backend.get()).weight;
    }
  }
}

void Checker::set_admin_state(const Backend& backend, AdminState state) {
  models_.at(&backend).admin_state = state;
}

void Checker::set_weight(const Backend& backend, uint32_t weight) {
  models_.at(&backend).weight = weight;
  turns_.clear();
}

void Checker::set_truth(const std::string& backend, bool is_up, TimePoint now) {
  is_up_[backend] = is_up;
  for (auto& [known, model] : models_) {
    if (known->name() != backend) continue;
    const bool may_recover = is_up && settings_.has_probes && settings_.circuit_breaker.is_enabled;
    model.may_recover_since = may_recover ? std::optional(now) : std::nullopt;
  }
}

void Checker::released(const Ticket& ticket) {
  --models_.at(ticket.backend.get()).connections;
  --connections_;
  was_freed_ = true;
}

Checker::Ticket Checker::probe_began(const std::shared_ptr<Backend>& backend, bool has_trial) {
  Model& model = model_of(backend);
  ++model.probes;
  if (has_trial) {
    ++trials_;
    const bool is_only_one = ++model.trials_out == 1;
    if (model.is_member && !is_only_one) fail("one trial at a time", backend->name());
    if (model.is_member && model.breaker != BreakerState::half_open) {
      fail("trial when half_open", backend->name());
    }
  }
  return {backend, model.era, has_trial, settings_.circuit_breaker, settings_.outlier_detection};
}

void Checker::probing(const Ticket& ticket, const ProbeReport& report, TimePoint now) {
  Model& model = models_.at(ticket.backend.get());
  --model.probes;
  acting_settings_ = settings_.circuit_breaker;
  acting_outliers_ = settings_.outlier_detection;
  if (!report.is_inconclusive) watch_probe(model, report.passed, now);
  if (settings_.has_probes && !report.is_inconclusive) judge_health(model, report.passed);
  if (ticket.is_trial) {
    if (ticket.era != model.era) return;
    Ticket judged = ticket;
    judged.settings = settings_.circuit_breaker;
    judge_trial(model, judged,
                report.is_inconclusive ? ConnectOutcome::local_error
                : report.passed        ? ConnectOutcome::connected
                                       : ConnectOutcome::refused);
  } else if (!report.is_inconclusive && model.breaker == BreakerState::open) {
    if (!report.passed) model.passed_since_opening = 0;
    if (!report.passed || report.began_at <= model.opened_at) return;
    ++model.passed_since_opening;
    if (settings_.circuit_breaker.early_trial && may_be_tried_early(model) &&
        model.passed_since_opening >= settings_.health_thresholds.healthy) {
      expect(model, BreakerState::half_open);
    }
  }
}

void Checker::judge_health(Model& model, bool passed) {
  model.passed_in_row = passed ? model.passed_in_row + 1 : 0;
  model.failed_in_row = passed ? 0 : model.failed_in_row + 1;
  const HealthThresholds& thresholds = settings_.health_thresholds;
  Health next = model.health;
  if (passed && model.passed_in_row >= thresholds.healthy) next = Health::healthy;
  if (!passed && model.failed_in_row >= thresholds.unhealthy) next = Health::unhealthy;
  const bool is_first = !std::exchange(model.was_probed, true);
  if (is_first) next = passed ? Health::healthy : Health::unhealthy;
  if (next == model.health || !model.is_member) return;
  expected_health_ = Expected{model.backend.get(), name(next)};
}

void Checker::heard(const Transition& transition) {
  ++transitions_;
  if (transition.from == transition.to) fail("told when something changed", transition.why);
  if (transition.kind == Transition::Kind::panic) return heard_panic(transition);
  for (auto& [backend, model] : models_) {
    if (!model.is_member || backend->name() != transition.backend) continue;
    return transition.kind == Transition::Kind::health ? heard_health(model, transition)
                                                       : heard_breaker(model, transition);
  }
  fail("tells of members only", transition.backend);
}

void Checker::heard_panic(const Transition& transition) {
  bool& is_told = told_panic_[transition.backend];
  if (transition.from != (is_told ? "panic" : "normal")) fail("chain", transition.backend);
  is_told = transition.to == "panic";
}

void Checker::heard_health(Model& model, const Transition& transition) {
  if (transition.from != name(model.health)) fail("chain", transition.why);
  if (transition.to == name(Health::unknown)) {
    if (settings_.has_probes) fail("health is known for good", transition.backend);
    model.health = Health::unknown;
    model.was_probed = false;
    return;
  }
  const bool is_expected = expected_health_ && expected_health_->backend == model.backend.get() &&
                           expected_health_->to == transition.to;
  if (!is_expected) fail("health by thresholds", transition.backend + ": " + transition.why);
  expected_health_.reset();
  const bool has_come_back =
      model.health == Health::unhealthy || model.backend->arrival() == Arrival::later;
  if (has_come_back && transition.to == name(Health::healthy)) {
    begin_slow_start(model, transition.at);
  }
  model.health = transition.to == name(Health::healthy) ? Health::healthy : Health::unhealthy;
}

void Checker::step(TimePoint now) {
  check_ejections();
  if (expected_breaker_) {
    fail("breaker moves when it has to",
         fmt::format("{} is not {}", expected_breaker_->backend->name(), expected_breaker_->to));
  }
  if (expected_health_) {
    fail("health moves when it has to",
         fmt::format("{} is not {}", expected_health_->backend->name(), expected_health_->to));
  }
  for (auto& [backend, model] : models_) {
    check_backend(model, now);
    check_recovery(model, now);
  }
  check_panic();
  if (cluster_->active_connections() != connections_) {
    fail("connection counts", fmt::format("the cluster has {}, counts {}", connections_,
                                          cluster_->active_connections()));
  }
}

void Checker::check_backend(const Model& model, TimePoint now) {
  const Backend& backend = *model.backend;
  if (backend.active_connections() != model.connections) {
    fail("connection counts", fmt::format("{} has {}, counts {}", backend.name(), model.connections,
                                          backend.active_connections()));
  }
  if (!model.is_member) return;
  const BreakerState actual = backend.breaker().state(now);
  const bool is_due = model.breaker == BreakerState::open && now >= model.retry_at;
  const BreakerState told = is_due ? BreakerState::half_open : model.breaker;
  if (actual != told) {
    fail("every transition is told",
         fmt::format("{} is {}, told {}", backend.name(), name(actual), name(model.breaker)));
  }
  if (backend.health() != model.health) fail("every transition is told", backend.name());
  if (backend.admin_state() != model.admin_state) fail("administrative state", backend.name());
  if (backend.weight() != model.weight) fail("weight", backend.name());
}

void Checker::check_recovery(const Model& model, TimePoint now) {
  if (!model.is_member || !model.may_recover_since) return;
  if (model.breaker == BreakerState::closed) return;
  if (now - *model.may_recover_since <= kRecoveryBound) return;
  fail("breakers of those who are back close again",
       fmt::format("{} is up for {} ms", model.backend->name(),
                   to_ms(now - *model.may_recover_since)));
}

void Checker::check_panic() {
  std::set<uint32_t> priorities;
  for (const auto& [backend, model] : models_) {
    if (model.is_member) priorities.insert(model.configured.priority);
  }
  for (const uint32_t priority : priorities) {
    if (told_panic_[fmt::format("priority {}", priority)] != is_panic(priority)) {
      fail("panic by threshold", fmt::format("priority {}", priority));
    }
  }
}

bool Checker::is_panic(uint32_t priority) const {
  uint32_t ready = 0;
  uint32_t usable = 0;
  for (const auto& [backend, model] : models_) {
    if (!model.is_member || model.configured.priority != priority) continue;
    if (model.admin_state != AdminState::ready) continue;
    ++ready;
    usable += model.health != Health::unhealthy;
  }
  return ready > 0 && 100.0 * usable / ready < settings_.panic_threshold;
}

uint32_t Checker::healthy_backends() const {
  uint32_t count = 0;
  for (const auto& [backend, model] : models_) {
    count += model.is_member && model.admin_state == AdminState::ready &&
             model.health == Health::healthy;
  }
  return count;
}

}  // namespace sluice::sim
