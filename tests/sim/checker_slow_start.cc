// The checker's part on slow starts: who is in one, and that it gets its part of its share.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "checker.h"

namespace sluice::sim {
namespace {

constexpr double kShareMin = 0.1;
// A weight is scaled to a fraction of no more than so many parts.
constexpr double kSampledRounding = 0.02;

}  // namespace

// Each process stretches or shrinks it by a tenth at most.
void Checker::begin_slow_start(Model& model, TimePoint now) {
  model.full_share_from = now + slow_start_ * 9 / 10;
  model.full_share_by = now + slow_start_ * 11 / 10;
}

// By a shorter setting than that it has begun with.
void Checker::limit_slow_start(Model& model, TimePoint now) const {
  model.full_share_from = std::min(model.full_share_from, now + slow_start_ * 9 / 10);
  model.full_share_by = std::min(model.full_share_by, now + slow_start_ * 11 / 10);
}

void Checker::look_at_age(const ClusterSnapshot& snapshot, Candidate& candidate) const {
  const Timeout& slow_start = snapshot.settings.slow_start;
  const BackendModel& model = *candidate.model;
  if (!slow_start || now_ >= model.full_share_by) return;
  const auto share_by = [&](TimePoint full_at) {
    const double left = static_cast<double>((full_at - now_).count());
    return std::clamp(1 - left / static_cast<double>(slow_start->count()), kShareMin, 1.0);
  };
  candidate.share_min = share_by(model.full_share_by);
  candidate.share_max = share_by(model.full_share_from);
}

bool Checker::has_young() const {
  return std::any_of(candidates_.begin(), candidates_.end(),
                     [](const Candidate& candidate) { return candidate.is_young(); });
}

// Fewest for its weight, of which a young one has a part. The chosen one's count has the new
// connection already.
void Checker::check_least(const ClusterSnapshot& snapshot, const Candidate& chosen,
                          const Candidate& other) {
  const bool is_by_load = snapshot.settings.balance.policy == BalancePolicy::least_connections &&
                          other.level == chosen.level;
  if (!is_by_load) return;
  const Backend& taken = *chosen.model->backend;
  const Backend& left = *other.model->backend;
  const double its = double{1} * taken.active_connections() * left.weight() * other.share_min;
  const double others =
      double{1} * (left.active_connections() + 1) * taken.weight() * chosen.share_max;
  const bool is_exact = !chosen.is_young() && !other.is_young();
  if (its <= (is_exact ? others : others * (1 + kSampledRounding))) return;
  fail("fewest connections first",
       fmt::format("{} with {} and not {} with {}", taken.name(), taken.active_connections() - 1,
                   left.name(), left.active_connections()));
}

// Whether the one young backend was taken when it was its turn, which chance decides by its share:
// where it was passed over it was its turn as well. Where it goes by load nobody is passed over.
void Checker::check_slow_start(const ClusterSnapshot& snapshot, const Pick& pick) {
  if (has_strangers()) return;
  const BalanceSettings& balance = snapshot.settings.balance;
  size_t count = 0;
  const Candidate* young = nullptr;
  bool has_other = false;
  for (const Candidate& candidate : candidates_) {
    if (candidate.is_young()) young = &candidate;
    count += candidate.is_young();
    has_other =
        has_other || (!candidate.is_young() && !candidate.was_tried && candidate.obstacle.empty());
  }
  if (pick.slow_starters > (goes_by_load(balance.policy) ? 0 : count)) {
    return fail("only the young are passed over as such",
                fmt::format("{} of {}", pick.slow_starters, count));
  }
  if (!pick.backend || count != 1 || !has_other || is_retry_) return;
  if (goes_by_load(balance.policy) || is_regular_of(balance)) return;
  const bool is_taken = young->model->backend == pick.backend;
  if (!young->obstacle.empty() || (!is_taken && pick.slow_starters == 0)) return;
  const auto quarter = static_cast<size_t>(young->share_max * static_cast<double>(youth_.size()));
  Youth& youth = youth_[std::min(quarter, youth_.size() - 1)];
  youth.at_most.count += (is_taken ? 1 : 0) - young->share_max;
  youth.at_most.variance += young->share_max * (1 - young->share_max);
  youth.at_least.count += young->share_min - (is_taken ? 1 : 0);
  youth.at_least.variance += young->share_min * (1 - young->share_min);
  for (const Excess& excess : {youth.at_most, youth.at_least}) {
    if (excess.count <= kDeviationsMax * (std::sqrt(excess.variance) + 1)) continue;
    fail("the young get their share", fmt::format("{:.0f} beside it, standard deviation {:.1f}",
                                                  excess.count, std::sqrt(excess.variance)));
  }
}

}  // namespace sluice::sim
