// The checker's part on policies: the order of those who may be chosen, where clients belong, and
// that weights are honoured.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "checker.h"

namespace sluice::sim {
namespace {

// Of the picks of a policy: a table of slots does not give everybody its exact share.
constexpr double kUnevenMax = 0.01;
constexpr size_t kHomesMax = 20'000;
constexpr uint8_t kRegulars = 10;  // the first byte of the addresses that come again

// Where everybody in a level has the chance that its weight gives it, whatever the load. The turns
// of round_robin are no chance.
bool draws_by_weight(const BalanceSettings& settings) {
  switch (settings.policy) {
    case BalancePolicy::random:
      return settings.choices == 1;
    case BalancePolicy::source_hash:
    case BalancePolicy::maglev:
      return !settings.max_load;
    case BalancePolicy::round_robin:
    case BalancePolicy::least_connections:
    case BalancePolicy::first:
      return false;
  }
  return false;
}

}  // namespace

bool Checker::is_regular_of(const BalanceSettings& settings) const {
  return looks_at_the_client(settings.policy) && client_.bytes[0] == kRegulars;
}

void Checker::check_order(const ClusterSnapshot& snapshot, const Candidate& chosen) {
  if (snapshot.settings.balance.policy != BalancePolicy::first) return;
  for (const Candidate& other : candidates_) {
    if (other.model == chosen.model) return;
    const bool goes_before = other.level == chosen.level && other.model->is_member &&
                             other.obstacle.empty() && !other.is_young() &&
                             other.was_tried == chosen.was_tried;
    if (goes_before) fail("first in the order of the list", other.model->backend->name());
  }
}

// The same client goes to the same backend as long as nothing has changed that may send it
// elsewhere, whichever worker asks.
void Checker::check_client(const ClusterSnapshot& snapshot, const Backend& chosen) {
  const BalanceSettings& settings = snapshot.settings.balance;
  if (!is_regular_of(settings) || settings.max_load || has_strangers() || has_young()) return;
  const auto host = settings.prefix_v4 < 32 ? 0 : client_.bytes[3];
  std::string key = fmt::format("{} {} {}", name(settings.policy), settings.prefix_v4, host);
  for (const double share : shares_up_to_) key += fmt::format(" {:.6f}", share);
  for (const PriorityLevel& level : snapshot.levels) {
    key += fmt::format(" {}", static_cast<const void*>(level.maglev_table.get()));
  }
  for (const Candidate& candidate : candidates_) {
    key += fmt::format(" {}/{}/{}{}{}", candidate.model->backend->name(), candidate.model->weight,
                       candidate.level, candidate.was_tried, candidate.obstacle.empty());
  }
  if (homes_.size() >= kHomesMax) homes_.clear();
  const auto [home, is_new] = homes_.emplace(std::move(key), chosen.name());
  if (home->second == chosen.name()) return;
  fail("the same client to the same backend",
       fmt::format("{} and {}, {}", home->second, chosen.name(), home->first));
}

// A weight that was set since the table was made counts from the next one on.
bool Checker::is_table_current(const ClusterSnapshot& snapshot, size_t level) const {
  if (snapshot.settings.balance.policy != BalancePolicy::maglev) return true;
  const auto& weights = table_weights_.at(snapshot.levels[level].maglev_table.get());
  return std::all_of(weights.begin(), weights.end(), [this](const auto& entry) {
    const auto known = models_.find(entry.first);
    return known != models_.end() && known->second.weight == entry.second;
  });
}

// Only where nothing but the weights decides: without limits, among those in the level who are
// there, and for clients that have not been here before, because those that come again draw the
// same again.
void Checker::check_weights(const ClusterSnapshot& snapshot, const Candidate& chosen) {
  const ClusterSettings& settings = snapshot.settings;
  if (!draws_by_weight(settings.balance) || settings.limits != ConnectionLimits{}) return;
  if (is_regular_of(settings.balance) || has_strangers() || has_young()) return;
  if (!is_table_current(snapshot, chosen.level)) return;
  const auto takes_part = [](const Candidate& candidate) {
    return candidate.obstacle.empty() && !candidate.was_tried;
  };
  double heaviest = 0;
  double sum = 0;
  for (const Candidate& candidate : candidates_) {
    if (candidate.level != chosen.level || !takes_part(candidate)) continue;
    heaviest = std::max(heaviest, double{1} * candidate.model->weight);
    sum += candidate.model->weight;
  }
  double share = 0;
  for (const Candidate& candidate : candidates_) {
    if (candidate.level != chosen.level || !takes_part(candidate)) continue;
    if (candidate.model->weight == heaviest) share += heaviest / sum;
  }
  if (chosen.was_tried) return;
  Excess& excess = excess_by_weight_[snapshot.settings.balance.policy];
  excess.count += (chosen.model->weight == heaviest ? 1 : 0) - share;
  excess.variance += share * (1 - share);
  if (std::abs(excess.count) <=
      kDeviationsMax * (std::sqrt(excess.variance) + 1) + kUnevenMax * excess.variance) {
    return;
  }
  fail("load spread by the weights",
       fmt::format("{}: {:.0f} too many on the heaviest, standard deviation {:.1f}",
                   name(snapshot.settings.balance.policy), excess.count,
                   std::sqrt(excess.variance)));
}

}  // namespace sluice::sim
