// The checker's part on outlier detection: whom the detectors have to propose, and which of those
// may be taken out.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "checker.h"

namespace sluice::sim {

namespace {

bool is_early_close_on(const ClusterSettings& settings) {
  return settings.circuit_breaker.is_enabled &&
         is_on(Detector::early_close, settings.outlier_detection);
}

// Below which success rate one of so many connects stands out, when its peers' rates are these.
double lowest_rate(const std::vector<double>& peers, uint32_t volume,
                   const SuccessRateSettings& settings) {
  const auto count = static_cast<double>(peers.size());
  const double mean = std::accumulate(peers.begin(), peers.end(), 0.0) / count;
  double variance = 0;
  for (const double rate : peers) variance += (rate - mean) * (rate - mean) / count;
  const double by_chance = mean * (1 - mean) / volume;
  return mean - settings.stdev_factor * std::sqrt(std::max({variance, by_chance, 0.0}));
}

}  // namespace

// As the world has told them, whatever the core has made of them.
const ClusterSettings& Checker::told(const ClusterSnapshot& snapshot) const {
  return told_.at(&snapshot);
}

// Ordinary connects of a breaker that has been closed since.
void Checker::watch_connect(Model& model, const Ticket& ticket, ConnectOutcome outcome,
                            TimePoint now) {
  const OutlierSettings& settings = ticket.outliers;
  const bool is_success = outcome == ConnectOutcome::connected;
  if (!settings.is_enabled || (!is_success && !is_backend_failure(outcome))) return;
  if (is_on(Detector::success_rate, settings) || is_on(Detector::failure_percentage, settings)) {
    model.outliers.count(is_success, now);
  }
  is_success ? model.outliers.good_sign(now, settings.base_ejection) : model.outliers.bad_sign();
}

void Checker::watch_probe(Model& model, bool passed, TimePoint now) {
  const OutlierSettings& settings = settings_.outlier_detection;
  if (!settings.is_enabled || model.breaker != BreakerState::closed) return;
  passed ? model.outliers.good_sign(now, settings.base_ejection) : model.outliers.bad_sign();
}

bool Checker::may_be_tried_early(const Model& model) const {
  if (!settings_.outlier_detection.is_enabled) return true;
  return model.ejected_by == Detector::none && model.outliers.doublings() <= 1;
}

void Checker::heard_first_byte(const Ticket& ticket, const ClusterSnapshot& snapshot) {
  Model& model = models_.at(ticket.backend.get());
  if (!is_early_close_on(told(snapshot)) || ticket.is_trial || ticket.era != model.era) return;
  model.outliers.closed_early_in_row = 0;
}

void Checker::closing_early(const Ticket& ticket, const ClusterSnapshot& snapshot, TimePoint now) {
  now_ = now;
  const ClusterSettings& settings = told(snapshot);
  if (!is_early_close_on(settings) || ticket.is_trial) return;
  Model& model = models_.at(ticket.backend.get());
  if (!model.is_member) has_acted_on_stranger_ = true;
  if (!model.is_member || ticket.era != model.era) return;
  judged_by_ = &snapshot;
  model.outliers.bad_sign();
  const bool is_row =
      ++model.outliers.closed_early_in_row >= settings.outlier_detection.early_close.threshold;
  if (is_row) proposals_.push_back({&model, Detector::early_close});
}

void Checker::judging(const ClusterSnapshot& snapshot, TimePoint now) {
  now_ = now;
  judged_by_ = &snapshot;
  const OutlierSettings& settings = told(snapshot).outlier_detection;
  if (!settings.is_enabled || !told(snapshot).circuit_breaker.is_enabled) return;
  std::vector<std::pair<Model*, OutlierModel::Counts>> judged;
  std::vector<double> peers;
  for (const PriorityLevel& level : snapshot.levels) {
    for (const auto& backend : level.backends) {
      Model& model = models_.at(backend.get());
      const OutlierModel::Counts counts = model.outliers.counts(now);
      if (model.breaker != BreakerState::closed || counts.volume() == 0) continue;
      judged.emplace_back(&model, counts);
      if (counts.volume() >= settings.success_rate.min_volume) {
        peers.push_back(counts.success_rate());
      }
    }
  }
  for (const auto& [model, counts] : judged) {
    const FailurePercentageSettings& failures = settings.failure_percentage;
    const SuccessRateSettings& rates = settings.success_rate;
    const double rate = counts.success_rate();
    const bool fails = failures.is_enabled && counts.volume() >= failures.min_volume &&
                       counts.failures > 0 &&
                       100.0 * counts.failures >= failures.threshold * counts.volume();
    const bool stands_out = rates.is_enabled && counts.volume() >= rates.min_volume &&
                            peers.size() >= rates.min_hosts &&
                            rate < lowest_rate(peers, counts.volume(), rates);
    if (fails) {
      proposals_.push_back({model, Detector::failure_percentage, rate});
    } else if (stands_out) {
      proposals_.push_back({model, Detector::success_rate, rate});
    }
  }
  std::stable_sort(proposals_.begin(), proposals_.end(), [](const Proposal& a, const Proposal& b) {
    return a.success_rate < b.success_rate;
  });
}

void Checker::judged() {
  settle_proposals(nullptr);
  judged_by_ = nullptr;
}

uint32_t Checker::ejected() const {
  return static_cast<uint32_t>(std::count_if(models_.begin(), models_.end(), [](const auto& entry) {
    return entry.second.is_member && entry.second.ejected_by != Detector::none;
  }));
}

// At least one however few there are, and never the last that takes clients.
Checker::Verdict Checker::verdict_on(const Model& model) const {
  size_t count = 0;
  for (const PriorityLevel& level : judged_by_->levels) count += level.backends.size();
  const double most =
      told(*judged_by_).outlier_detection.max_ejected * static_cast<double>(count) / 100;
  if (ejected() >= std::max(1.0, std::floor(most))) return Verdict::no;
  bool has_stranger = false;
  for (const PriorityLevel& level : judged_by_->levels) {
    for (const auto& backend : level.backends) {
      if (backend == model.backend) continue;
      const auto known = models_.find(backend.get());
      const bool is_member = known != models_.end() && known->second.is_member;
      has_stranger = has_stranger || !is_member;
      if (is_member && known->second.breaker == BreakerState::closed &&
          unfitness(known->second, *judged_by_, level.priority).empty()) {
        return Verdict::yes;
      }
    }
  }
  return has_stranger ? Verdict::unknown : Verdict::no;
}

// Up to the one that was taken out, or all of them. Whether it was among them.
bool Checker::settle_proposals(const Model* taken_out) {
  while (!proposals_.empty()) {
    const Proposal proposal = proposals_.front();
    proposals_.pop_front();
    const Verdict verdict = verdict_on(*proposal.model);
    const std::string& backend = proposal.model->backend->name();
    const bool is_out = proposal.model == taken_out;
    if (is_out && verdict == Verdict::no) {
      fail("ejected within the cap",
           fmt::format("{} by {}, {} are out", backend, name(proposal.detector), ejected()));
    }
    if (!is_out && verdict == Verdict::yes) {
      fail("outliers are ejected", fmt::format("{} by {}", backend, name(proposal.detector)));
    }
    ++(is_out ? ejections_ : refusals_)[static_cast<size_t>(proposal.detector)];
    if (!is_out) continue;
    proposal.model->ejected_by = proposal.detector;
    acting_settings_ = told(*judged_by_).circuit_breaker;
    acting_outliers_ = told(*judged_by_).outlier_detection;
    return true;
  }
  return false;
}

bool Checker::is_ejected_by_what_is_off(const Model& model) const {
  return !is_on(model.ejected_by, settings_.outlier_detection);
}

void Checker::check_what_is_off() {
  for (const auto& [backend, model] : models_) {
    if (!model.is_member || model.breaker == BreakerState::closed) continue;
    if (!settings_.circuit_breaker.is_enabled) {
      fail("closes breakers that are switched off", backend->name());
    }
    if (is_ejected_by_what_is_off(model)) {
      fail("takes back ejections of what is switched off", backend->name());
    }
  }
}

void Checker::check_ejections() {
  const EjectionBooks& books = cluster_->ejections();
  if (books.out() != ejected()) {
    fail("ejection counts", fmt::format("{} are out, counts {}", ejected(), books.out()));
  }
  for (size_t i = 0; i < kDetectors; ++i) {
    const auto detector = static_cast<Detector>(i);
    if (has_acted_on_stranger_) {
      ejections_[i] = books.ejections(detector);
      refusals_[i] = books.refusals(detector);
    }
    if (books.ejections(detector) == ejections_[i] && books.refusals(detector) == refusals_[i]) {
      continue;
    }
    fail("ejection counts",
         fmt::format("{}: {} and {} refused, counts {} and {}", name(detector), ejections_[i],
                     refusals_[i], books.ejections(detector), books.refusals(detector)));
  }
  has_acted_on_stranger_ = false;
}

}  // namespace sluice::sim
