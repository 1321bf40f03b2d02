// The part of Cluster that takes in probes, on the control loop: what they say of the health of a
// backend, and the breaker's trial, where a probe has it or brings it forward.
#include <fmt/format.h>

#include <string>

#include "cluster_outliers.h"
#include "cluster_words.h"
#include "sluice/core/cluster.h"

namespace sluice {
namespace {

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

}  // namespace sluice
