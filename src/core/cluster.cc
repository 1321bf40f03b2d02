#include "sluice/core/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "cluster_outliers.h"
#include "cluster_words.h"
#include "maglev_table.h"

namespace sluice {
namespace {

// Of the length of a slow start, in percent, for each process: a fleet does not come back in step.
constexpr double kSlowStartJitter = 10;
constexpr std::string_view kByOperator = "by an operator";

std::string why_health_changed(const HealthChange& change, const ProbeReport& report) {
  if (change.is_first_probe) {
    return report.passed ? "first probe passed"
                         : fmt::format("first probe failed: {}", report.result);
  }
  const std::string row = row_of(change.probes_in_row, "probe");
  return report.passed ? fmt::format("{} passed", row)
                       : fmt::format("{} failed, last: {}", row, report.result);
}

}  // namespace

Cluster::Cluster(std::string name, TransitionSink sink, Random random, size_t workers)
    : name_(std::move(name)),
      sink_(std::move(sink)),
      workers_(workers),
      tallies_(workers),
      random_(random),
      slow_start_stretch_(random_.jittered(std::chrono::seconds(1), kSlowStartJitter)) {}

std::shared_ptr<const ClusterSnapshot> Cluster::apply(const ClusterSettings& settings,
                                                      std::span<const BackendSettings> backends,
                                                      Arrival arrival, TimePoint now) {
  std::unordered_map<std::string_view, std::shared_ptr<Backend>> known;
  if (contents_) {
    for (const PriorityLevel& level : contents_->levels) {
      for (const auto& backend : level.backends) known.emplace(backend->name(), backend);
    }
  }
  std::map<uint32_t, PriorityLevel> levels;
  std::vector<std::shared_ptr<Backend>> arrived;  // in a cluster that has been running
  for (const BackendSettings& wanted : backends) {
    const auto found = known.find(wanted.name);
    const bool stays = found != known.end() && found->second->address() == wanted.address;
    auto backend =
        stays ? found->second : std::make_shared<Backend>(wanted, arrival, load_, workers_);
    if (stays) known.erase(found);
    if (!stays && arrival == Arrival::later) arrived.push_back(backend);
    update_backend(*backend, wanted);
    levels[wanted.priority].backends.push_back(std::move(backend));
  }

  auto contents = std::make_shared<ClusterSnapshot>();
  contents->cluster = this;
  contents->settings = settings;
  for (auto& [priority, level] : levels) {
    level.priority = priority;
    level.in_panic = census_.panic_flag(priority);
    if (settings.balance.policy == BalancePolicy::maglev) level.maglev_table = maglev_table(level);
    level.share_up_to = census_.share_up_to(priority);
    contents->levels.push_back(std::move(level));
  }
  contents_ = std::move(contents);
  for (const auto& [gone, backend] : known) {
    backend->is_removed_.store(true);
    close_books_of(*backend, std::nullopt);
  }
  by_name_.clear();
  for (const PriorityLevel& level : contents_->levels) {
    for (const auto& backend : level.backends) {
      by_name_.emplace(backend->name(), backend);
      set_up_outlier_detection(*backend);
      forget_what_is_off(*backend, now);
    }
  }
  set_slow_start(settings.slow_start, now);
  if (!settings.has_probes) {
    for (const auto& backend : arrived) begin_slow_start(*backend, now);
  }
  census_.take(*contents_);
  publish_census(now);
  return snapshot();
}

// The last one when it still holds: a host name that is resolved again mostly says the same.
std::shared_ptr<const MaglevTable> Cluster::maglev_table(const PriorityLevel& level) const {
  if (contents_) {
    for (const PriorityLevel& last : contents_->levels) {
      if (last.maglev_table && last.maglev_table->is_of(level.backends)) return last.maglev_table;
    }
  }
  return std::make_shared<const MaglevTable>(level.backends);
}

// Weights may have changed since they were made.
void Cluster::renew_tables() {
  if (contents_->settings.balance.policy != BalancePolicy::maglev) return;
  const auto is_current = [](const PriorityLevel& level) {
    return level.maglev_table->is_of(level.backends);
  };
  if (std::all_of(contents_->levels.begin(), contents_->levels.end(), is_current)) return;
  auto renewed = std::make_shared<ClusterSnapshot>(*contents_);
  for (PriorityLevel& level : renewed->levels) level.maglev_table = maglev_table(level);
  contents_ = std::move(renewed);
}

void Cluster::update_backend(Backend& backend, const BackendSettings& settings) {
  if (settings.weight != backend.settings_.weight) backend.set_weight(settings.weight);
  if (settings.admin_state != backend.settings_.admin_state) {
    backend.admin_state_.store(settings.admin_state, std::memory_order_relaxed);
  }
  backend.settings_ = settings;
}

void Cluster::forget_what_is_off(Backend& backend, TimePoint now) {
  if (!contents_->settings.has_probes) {
    if (const auto change = backend.health_tracker_.reset()) {
      change_health(backend, *change, "health_check is off", now);
    }
  }
  if (!contents_->settings.circuit_breaker.is_enabled) {
    backend.breaker().reset(
        [&](const BreakerChange& change) { tell(backend, change, "circuit_breaker is off", now); });
  }
  end_ejection_that_is_off(backend, now);
}

std::shared_ptr<const ClusterSnapshot> Cluster::snapshot() {
  if (!contents_) return nullptr;
  renew_tables();
  // The contents do not own the cluster that owns them; whoever gets this handle owns both.
  struct Handle {
    std::shared_ptr<Cluster> cluster;
    std::shared_ptr<const ClusterSnapshot> contents;
  };
  const auto handle = std::make_shared<Handle>(Handle{shared_from_this(), contents_});
  return {handle, handle->contents.get()};
}

std::shared_ptr<Backend> Cluster::find(std::string_view backend) const {
  const auto found = by_name_.find(backend);
  return found == by_name_.end() ? nullptr : found->second;
}

std::optional<Permit> Cluster::admit_probe(Backend& backend, TimePoint now) {
  if (!contents_ || !contents_->settings.circuit_breaker.is_enabled) return std::nullopt;
  return backend.breaker().admit_trial(now, [&](const BreakerChange& change) {
    tell(backend, change, std::string(kTimeHasCome), now);
  });
}

void Cluster::record_probe(Backend& backend, const ProbeReport& report, TimePoint now) {
  backend.events_.count_probe(report.result);
  if (report.is_inconclusive) {
    if (!report.permit) return;
    backend.breaker().abandoned(*report.permit);
    pending().call_next_after_change();  // the trial can be a client's now
    return;
  }
  record_health(backend, report, now);
  watch_probe(backend, report, now);
  record_trial(backend, report, now);
}

void Cluster::record_health(Backend& backend, const ProbeReport& report, TimePoint now) {
  if (!contents_ || !contents_->settings.has_probes) return;
  const auto change =
      backend.health_tracker_.record(report.passed, contents_->settings.health_thresholds);
  if (!change) return;
  change_health(backend, *change, why_health_changed(*change, report), now);
  census_.update(backend);
  publish_census(now);
}

void Cluster::record_trial(Backend& backend, const ProbeReport& report, TimePoint now) {
  if (!contents_) return;
  const CircuitBreakerSettings& settings = contents_->settings.circuit_breaker;
  const HealthThresholds& thresholds = contents_->settings.health_thresholds;
  CircuitBreaker& breaker = backend.breaker();
  if (report.permit && report.passed) {
    breaker.succeeded(*report.permit, settings, [&](const BreakerChange& change) {
      tell(backend, change, why_closed(settings), now);
    });
    pending().call_next_after_change();
  } else if (report.permit) {
    const auto open_settings = settings_of_open_period(contents_->settings, backend);
    breaker.failed(*report.permit, now, open_settings, random_, [&](const BreakerChange& change) {
      tell(backend, change, fmt::format("trial failed: {}", report.result), now);
    });
    pending().call_next_after_change();
  } else if (const auto opening = breaker.opening()) {
    const bool has_earned_it = backend.health_tracker_.earns_early_trial(
        report.passed, report.began_at, *opening, thresholds);
    if (!has_earned_it || !settings.early_trial) return;
    if (!may_be_tried_early(contents_->settings, backend)) return;
    breaker.begin_early_trial(opening->generation, [&](const BreakerChange& change) {
      const std::string row = row_of(thresholds.healthy, "probe");
      tell(backend, change, fmt::format("{} passed since it opened", row), now);
    });
    pending().call_next_after_change();
  }
}

void Cluster::set_admin_state(Backend& backend, AdminState state, TimePoint now) {
  backend.admin_state_.store(state, std::memory_order_relaxed);
  census_.update(backend);
  publish_census(now);
}

void Cluster::set_weight(Backend& backend, uint32_t weight, TimePoint now) {
  backend.set_weight(weight);
  census_.update(backend);
  publish_census(now);
}

bool Cluster::trip(Backend& backend, TimePoint now) {
  if (!contents_ || !contents_->settings.circuit_breaker.is_enabled) return false;
  CircuitBreaker& breaker = backend.breaker();
  const bool has_opened = breaker.trip(
      breaker.generation(), now, contents_->settings.circuit_breaker, random_,
      [&](const BreakerChange& change) { tell(backend, change, std::string(kByOperator), now); });
  if (has_opened) pending().call_next_after_change();
  return has_opened;
}

bool Cluster::reset(Backend& backend, TimePoint now) {
  CircuitBreaker& breaker = backend.breaker();
  if (breaker.is_closed().value_or(false)) {
    const bool has_failures = backend.outlier_detector().consecutive_failures() > 0;
    backend.outlier_detector().begin_generation(breaker.generation());
    return has_failures;
  }
  bool has_closed = false;
  breaker.reset([&](const BreakerChange& change) {
    has_closed = true;
    tell(backend, change, std::string(kByOperator), now);
  });
  if (has_closed) pending().call_next_after_change();
  return has_closed;
}

void Cluster::take_note(const Transition& transition, TimePoint now) {
  if (transition.kind != Transition::Kind::breaker) return;
  const auto found = by_name_.find(transition.backend);
  if (found == by_name_.end()) return;
  found->second->events_.count_transition(transition.to);
  census_.update_breaker(*found->second, transition.to == sluice::name(BreakerState::closed));
  publish_census(now);
}

ClusterTotals Cluster::totals() const {
  ClusterTotals totals;
  for (const ClusterTally& tally : tallies_) {
    totals.retries += tally.retries.value();
    tally.connect_ms.add_to(totals.connect_ms);
  }
  return totals;
}

std::optional<TimePoint> Cluster::announce_half_open(TimePoint now) {
  std::optional<TimePoint> next;
  if (!contents_) return next;
  for (const PriorityLevel& level : contents_->levels) {
    for (const auto& backend : level.backends) {
      // A connect from before a reload may have opened one after breakers were switched off.
      forget_what_is_off(*backend, now);
      backend->breaker().announce_half_open(now, [&](const BreakerChange& change) {
        tell(*backend, change, std::string(kTimeHasCome), now);
      });
      const auto reopens_at = backend->breaker().reopens_at();
      if (reopens_at && (!next || *reopens_at < *next)) next = reopens_at;
    }
  }
  pending().call_next_after_change();
  return next;
}

void Cluster::set_slow_start(const Timeout& slow_start, TimePoint now) {
  const auto stretched = slow_start.value_or(Duration::zero()) * to_ms(slow_start_stretch_) / 1000;
  slow_start_.store(stretched.count(), std::memory_order_relaxed);
  // One that began under a longer setting does not stay at its floor until that would have ended.
  const Duration::rep latest = (now + stretched).time_since_epoch().count();
  for (const PriorityLevel& level : contents_->levels) {
    for (const auto& backend : level.backends) {
      if (backend->full_share_at_.load(std::memory_order_relaxed) > latest) {
        backend->full_share_at_.store(latest, std::memory_order_relaxed);
      }
    }
  }
}

void Cluster::begin_slow_start(Backend& backend, TimePoint now) {
  const Duration slow_start(slow_start_.load(std::memory_order_relaxed));
  backend.full_share_at_.store((now + slow_start).time_since_epoch().count(),
                               std::memory_order_relaxed);
}

void Cluster::publish_census(TimePoint now) {
  healthy_backends_.store(census_.healthy(), std::memory_order_relaxed);
  if (!contents_) return;
  const ClusterSettings& settings = contents_->settings;
  for (const PanicChange& change : census_.judge_panic(settings.panic_threshold)) tell(change, now);
  census_.publish_shares(settings.balance.overprovisioning);
  available_backends_.store(census_.available(), std::memory_order_relaxed);
  pending().call_next_after_change();
}

void Cluster::change_health(Backend& backend, const HealthChange& change, std::string why,
                            TimePoint now) {
  // Known good for the first time is no recovery at a cold start.
  const bool has_come_back =
      change.from == Health::unhealthy || backend.arrival() == Arrival::later;
  if (change.to == Health::healthy && has_come_back) begin_slow_start(backend, now);
  backend.health_.store(change.to, std::memory_order_relaxed);
  tell_of(backend, {.kind = Transition::Kind::health,
                    .cluster = name_,
                    .backend = backend.name(),
                    .from = sluice::name(change.from),
                    .to = sluice::name(change.to),
                    .why = std::move(why),
                    .at = now,
                    .retry_at = std::nullopt});
}

void Cluster::tell(Backend& backend, const BreakerChange& change, std::string why, TimePoint now) {
  const bool is_closed = change.to == BreakerState::closed;
  if (is_closed) {
    backend.outlier_detector().begin_generation(change.generation);
    begin_slow_start(backend, now);
  }
  tell_of(backend, {.kind = Transition::Kind::breaker,
                    .cluster = name_,
                    .backend = backend.name(),
                    .from = sluice::name(change.from),
                    .to = sluice::name(change.to),
                    .why = std::move(why),
                    .at = now,
                    .retry_at = change.retry_at});
  // Told last: the one that is ejected in its place is told of later than its own return.
  if (is_closed) close_books_of(backend, change.generation);
}

// Of a removed one nothing: another backend of that name may be there by now, whose state this is
// not.
void Cluster::tell_of(const Backend& backend, Transition transition) {
  if (!backend.is_removed_.load(std::memory_order_relaxed)) sink_(std::move(transition));
}

void Cluster::tell(const PanicChange& change, TimePoint now) {
  constexpr std::string_view kNormal = "normal", kPanic = "panic";
  if (change.is_panic) {
    panics_now_.fetch_add(1, std::memory_order_relaxed);
    panics_.fetch_add(1, std::memory_order_relaxed);
  } else {
    panics_now_.fetch_sub(1, std::memory_order_relaxed);
  }
  sink_({.kind = Transition::Kind::panic,
         .cluster = name_,
         .backend = fmt::format("priority {}", change.priority),
         .from = change.is_panic ? kNormal : kPanic,
         .to = change.is_panic ? kPanic : kNormal,
         .why = fmt::format("{} of {} ready backends are healthy or unknown", change.usable,
                            change.ready),
         .at = now,
         .retry_at = std::nullopt});
}

}  // namespace sluice
