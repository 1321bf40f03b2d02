// The part of Cluster that is outlier detection: detectors propose, the cluster decides, and an
// ejection is a trip of the breaker, which does all the rest.
#include "cluster_outliers.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cluster_words.h"
#include "sluice/core/cluster.h"
#include "sluice/core/outlier_statistics.h"

namespace sluice {
namespace {

std::string why_ended_early(uint32_t in_row) {
  return in_row == 1 ? "1 connection ended before its first byte"
                     : fmt::format("{} connections in a row ended before their first byte", in_row);
}

bool watches_early_closes(const ClusterSettings& settings) {
  return settings.outlier_detection.is_on(Detector::early_close) &&
         settings.circuit_breaker.is_enabled;
}

uint32_t count_backends(const ClusterSnapshot& snapshot) {
  size_t count = 0;
  for (const PriorityLevel& level : snapshot.levels) count += level.backends.size();
  return static_cast<uint32_t>(count);
}

// At least one, however few there are.
uint32_t ejected_max(const ClusterSnapshot& snapshot) {
  const double percent = snapshot.settings.outlier_detection.max_ejected;
  return std::max(1U, static_cast<uint32_t>(count_backends(snapshot) * percent / 100));
}

std::string why_at_cap(uint32_t out, uint32_t out_max, uint32_t backends) {
  return fmt::format("max_ejected lets {} of {} backends be out, and {} {} already", out_max,
                     backends, out, out == 1 ? "is" : "are");
}

CircuitBreakerSettings with_ejection_times(const ClusterSettings& settings) {
  CircuitBreakerSettings breaker = settings.circuit_breaker;
  breaker.recovery_timeout = settings.outlier_detection.base_ejection;
  breaker.max_recovery_timeout = settings.outlier_detection.max_ejection;
  return breaker;
}

}  // namespace

OutlierWatch* watch_of(const ClusterSettings& settings, const Backend& backend) {
  return settings.outlier_detection.is_enabled ? backend.outlier_watch() : nullptr;
}

CircuitBreakerSettings settings_of_open_period(const ClusterSettings& settings,
                                               const Backend& backend) {
  const OutlierWatch* watch = watch_of(settings, backend);
  const bool is_ejected = watch != nullptr && watch->ejected_by.load() != Detector::none;
  return is_ejected ? with_ejection_times(settings) : settings.circuit_breaker;
}

uint32_t penalty_doublings(const ClusterSettings& settings, const Backend& backend) {
  const OutlierWatch* watch = watch_of(settings, backend);
  return watch != nullptr ? watch->penalty.doublings() : 0;
}

void note_opening(const ClusterSettings& settings, const Backend& backend) {
  if (OutlierWatch* watch = watch_of(settings, backend)) watch->penalty.opened();
}

bool may_be_tried_early(const ClusterSettings& settings, const Backend& backend) {
  const OutlierWatch* watch = watch_of(settings, backend);
  if (watch == nullptr) return true;
  return watch->ejected_by.load() == Detector::none && watch->penalty.doublings() <= 1;
}

// A backend that a detector wants out.
struct Cluster::Ejectee {
  Backend& backend;
  Detector detector;
  uint32_t generation;  // of its breaker, that the detector has looked at
  FunctionRef<std::string()> why;
};

void Cluster::set_up_outlier_detection(Backend& backend) {
  const OutlierSettings& settings = contents_->settings.outlier_detection;
  if (settings.is_enabled && !backend.owned_outlier_watch_) {
    backend.owned_outlier_watch_ = std::make_unique<OutlierWatch>();
    backend.outlier_watch_.store(backend.owned_outlier_watch_.get(), std::memory_order_release);
  }
  OutlierWatch* watch = backend.outlier_watch();
  if (watch == nullptr) return;
  watch->window.set_length(settings.window);
  if (!settings.is_enabled || !settings.is_statistical()) watch->window.clear();
  if (!settings.is_on(Detector::early_close)) {
    watch->early_closes.begin_generation(backend.breaker().generation());
  }
  if (!settings.is_enabled) watch->penalty.forget();
}

void Cluster::end_ejection_that_is_off(Backend& backend, TimePoint now) {
  const OutlierWatch* watch = backend.outlier_watch();
  if (watch == nullptr) return;
  const OutlierSettings& settings = contents_->settings.outlier_detection;
  const Detector detector = watch->ejected_by.load();
  if (settings.is_on(detector)) return;
  backend.breaker().reset([&](const BreakerChange& change) {
    tell(backend, change,
         fmt::format("{} is off",
                     settings.is_enabled ? sluice::name(detector) : "outlier_detection"),
         now);
  });
}

// Only what was connected while the breaker has been closed as it is now; trials are the breaker's.
void Cluster::watch_connect(const ClusterSnapshot& snapshot, Backend& backend, Permit permit,
                            ConnectOutcome outcome, TimePoint now) {
  const bool is_failure = is_backend_failure(outcome);
  if (!is_failure && outcome != ConnectOutcome::connected) return;
  if (permit.is_trial || permit.generation != backend.breaker().generation()) return;
  OutlierWatch* watch = backend.outlier_watch();
  if (watch == nullptr) return;
  const OutlierSettings& settings = snapshot.settings.outlier_detection;
  if (settings.is_statistical()) {
    using Outcome = OutcomeWindow::Outcome;
    watch->window.add(is_failure ? Outcome::failure : Outcome::success, now);
  }
  if (is_failure) {
    watch->penalty.break_row();
  } else {
    watch->penalty.good_sign(now, settings.base_ejection);
  }
}

void Cluster::watch_probe(Backend& backend, const ProbeReport& report, TimePoint now) {
  if (!contents_) return;
  OutlierWatch* watch = watch_of(contents_->settings, backend);
  if (watch == nullptr || backend.breaker().state(now) != BreakerState::closed) return;
  if (report.passed) {
    watch->penalty.good_sign(now, contents_->settings.outlier_detection.base_ejection);
  } else {
    watch->penalty.break_row();
  }
}

void Cluster::judge_outliers(TimePoint now) {
  if (!contents_) return;
  const OutlierSettings& settings = contents_->settings.outlier_detection;
  const bool is_on = settings.is_enabled && settings.is_statistical() &&
                     contents_->settings.circuit_breaker.is_enabled;
  if (!is_on) return;
  struct Judged {
    Backend* backend;
    uint32_t generation;
  };
  std::vector<Judged> judged;
  std::vector<OutcomeCounts> counts;
  for (const PriorityLevel& level : contents_->levels) {
    for (const auto& backend : level.backends) {
      // Before its window is looked at, so that it is not ejected for what an older one has done.
      const uint32_t generation = backend->breaker().generation();
      const OutcomeCounts sum = backend->outlier_watch()->window.sum_up(now);
      if (backend->breaker().state(now) != BreakerState::closed) continue;
      judged.push_back({backend.get(), generation});
      counts.push_back(sum);
    }
  }
  for (const OutlierProposal& proposal : find_outliers(counts, settings)) {
    const Judged& bad = judged[proposal.index];
    const auto why = [&proposal] { return proposal.why; };
    eject(*contents_, {*bad.backend, proposal.detector, bad.generation, why}, now, random_);
  }
  pending().call_next_after_change();
}

void Cluster::record_early_close(const ClusterSnapshot& snapshot, Backend& backend, Permit permit,
                                 TimePoint now, Random& random) {
  const ClusterSettings& settings = snapshot.settings;
  if (!watches_early_closes(settings)) return;
  OutlierWatch* watch = backend.outlier_watch();
  if (watch == nullptr || permit.is_trial) return;
  if (permit.generation == backend.breaker().generation()) watch->penalty.break_row();
  const auto ejection = watch->early_closes.record(
      permit, ConnectOutcome::reset, settings.outlier_detection.early_close.threshold);
  if (!ejection) return;
  const auto why = [&ejection] { return why_ended_early(ejection->consecutive_failures); };
  eject(snapshot, {backend, Detector::early_close, ejection->generation, why}, now, random);
  pending().call_next_after_change();
}

void Cluster::record_first_byte(const ClusterSnapshot& snapshot, Backend& backend, Permit permit) {
  // Where no breaker gave the permit, it belongs to no row.
  if (!watches_early_closes(snapshot.settings)) return;
  OutlierWatch* watch = backend.outlier_watch();
  if (watch == nullptr || permit.is_trial) return;
  watch->early_closes.record(permit, ConnectOutcome::connected, 1);
}

bool Cluster::eject(const ClusterSnapshot& snapshot, const Ejectee& ejectee, TimePoint now,
                    Random& random) {
  Backend& backend = ejectee.backend;
  CircuitBreaker& breaker = backend.breaker();
  const EjectionBooks::Turn turn(ejections_);
  if (!turn) return false;
  // Out already, or a proposal about what was before.
  const bool is_current =
      breaker.generation() == ejectee.generation && breaker.state(now) == BreakerState::closed;
  if (!is_current) return false;
  const uint32_t out = ejections_.out(), out_max = ejected_max(snapshot);
  const bool is_at_cap = out >= out_max;
  if (is_at_cap || !keeps_another_available(snapshot, backend, now)) {
    ejections_.count_refusal(turn, ejectee.detector, [&] {
      return RefusedEjection{.backend = backend.name(),
                             .proposal = ejectee.why(),
                             .obstacle = is_at_cap
                                             ? why_at_cap(out, out_max, count_backends(snapshot))
                                             : std::string("no other backend would be available")};
    });
    return false;
  }
  std::atomic<Detector>& ejected_by = backend.outlier_watch()->ejected_by;
  ejections_.take_out(ejected_by, ejectee.detector);
  // A backend that a reload has removed since is in nobody's books: apply() gives back what it
  // finds marked, and what was marked later is given back here.
  const bool has_opened =
      !backend.is_removed_.load() &&
      breaker.trip(
          ejectee.generation, now, with_ejection_times(snapshot.settings), random,
          [&](const BreakerChange& change) { tell(backend, change, ejectee.why(), now); },
          penalty_doublings(snapshot.settings, backend));
  if (!has_opened) {
    ejections_.give_back(ejected_by);
    return false;
  }
  note_opening(snapshot.settings, backend);
  ejections_.count_ejection(ejectee.detector);
  return true;
}

// Within the same bounds as a new one: who is beyond them is in. (While somebody decides on another
// ejection, too: that is no time to find out.)
void Cluster::restore_ejection(Backend& backend, Detector detector, const SavedBreaker& saved,
                               TimePoint now) {
  const ClusterSettings& settings = contents_->settings;
  OutlierWatch* watch = watch_of(settings, backend);
  if (watch == nullptr || !settings.outlier_detection.is_on(detector)) return;
  const EjectionBooks::Turn turn(ejections_);
  if (!turn || ejections_.out() >= ejected_max(*contents_)) return;
  if (!keeps_another_available(*contents_, backend, now)) return;
  ejections_.take_out(watch->ejected_by, detector);
  const bool has_opened = backend.breaker().restore(
      saved, now, with_ejection_times(settings), [&](const BreakerChange& change) {
        tell(backend, change, fmt::format("{}: ejected by {}", kAsBefore, sluice::name(detector)),
             now);
      });
  if (!has_opened) ejections_.give_back(watch->ejected_by);
}

bool Cluster::keeps_another_available(const ClusterSnapshot& snapshot, const Backend& wanted_out,
                                      TimePoint now) const {
  for (const PriorityLevel& level : snapshot.levels) {
    for (const auto& backend : level.backends) {
      const bool is_another = backend.get() != &wanted_out && backend->weight() > 0;
      if (is_another && backend->admin_state() == AdminState::ready &&
          is_usable(snapshot, level, *backend) &&
          backend->breaker().state(now) == BreakerState::closed) {
        return true;
      }
    }
  }
  return false;
}

// It is no longer out: its breaker has closed, and the generation that begins has a clean slate; or
// it was removed.
void Cluster::close_books_of(Backend& backend, std::optional<uint32_t> begun_generation) {
  OutlierWatch* watch = backend.outlier_watch();
  if (watch == nullptr) return;
  if (begun_generation) watch->begin_generation(*begun_generation);
  ejections_.give_back(watch->ejected_by);
}

}  // namespace sluice
