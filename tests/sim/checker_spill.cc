// The checker's part on priorities: which share of the clients each level has to get, and that it
// gets it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "checker.h"

namespace sluice::sim {

void Checker::noted(const std::string& backend) {
  for (auto& [known, model] : models_) {
    if (!model.is_member || known->name() != backend) continue;
    model.is_noted_closed = model.breaker == BreakerState::closed;
  }
}

bool Checker::is_noted_available(const Model& model) const {
  if (model.admin_state != AdminState::ready || model.weight == 0) return false;
  if (settings_.circuit_breaker.is_enabled && !model.is_noted_closed) return false;
  return model.health != Health::unhealthy || is_panic(model.configured.priority);
}

// By the pseudo code of Envoy's page, level by level.
std::vector<double> Checker::shares_up_to(const ClusterSnapshot& snapshot) const {
  struct Count {
    double available = 0;
    double total = 0;
  };
  std::map<uint32_t, Count> counts;
  for (const auto& [backend, model] : models_) {
    if (!model.is_member) continue;
    Count& count = counts[model.configured.priority];
    // Who has no weight is no part of its level.
    if (model.weight > 0) ++count.total;
    count.available += is_noted_available(model);
  }
  double total_health = 0;
  std::map<uint32_t, double> health;
  for (const auto& [priority, count] : counts) {
    health[priority] =
        count.total == 0
            ? 0
            : std::min(100.0, settings_.balance.overprovisioning * count.available / count.total);
    total_health += health[priority];
  }
  total_health = std::min(100.0, total_health);
  std::map<uint32_t, double> loads;
  double left = 100;
  for (const auto& [priority, score] : health) {
    loads[priority] = total_health == 0 ? left : std::min(left, score * 100 / total_health);
    left -= loads[priority];
  }
  std::vector<double> shares;
  for (const PriorityLevel& level : snapshot.levels) {
    double share = total_health == 0 ? 100 : 0;
    for (const auto& [priority, load] : loads) share += priority <= level.priority ? load : 0;
    shares.push_back(std::min(100.0, share) / 100);
  }
  return shares;
}

void Checker::check_shares(const ClusterSnapshot& snapshot) {
  const bool is_empty = std::none_of(models_.begin(), models_.end(),
                                     [](const auto& entry) { return entry.second.is_member; });
  if (is_empty) return;
  for (size_t i = 0; i < snapshot.levels.size(); ++i) {
    const double published = double{1} * snapshot.levels[i].share_up_to->load() / kWholeShare;
    if (std::abs(published - shares_up_to_[i]) < kRounding) continue;
    fail("shares follow from what is available",
         fmt::format("up to priority {} it is {}, published {}", snapshot.levels[i].priority,
                     shares_up_to_[i], published));
  }
}

double Checker::share(size_t level) const {
  return shares_up_to_[level] - (level == 0 ? 0 : shares_up_to_[level - 1]);
}

// Whether a pick that drew `drawn` comes to `level` before any other where somebody is available.
bool Checker::is_first_of(size_t drawn, const std::vector<bool>& has_available,
                          size_t level) const {
  std::vector<size_t> order;
  for (size_t i = 0; i < drawn; ++i) {
    if (share(i) < kRounding) order.push_back(i);
  }
  order.push_back(drawn);
  for (size_t i = 0; i < has_available.size(); ++i) order.push_back(i);
  for (const size_t visited : order) {
    if (visited == level) return true;
    if (has_available[visited]) return false;
  }
  return false;
}

// Whoever is in its slow start may be passed over, and its level with it, unless it goes by load.
std::vector<bool> Checker::levels_with_rivals(const ClusterSnapshot& snapshot,
                                              const Candidate& chosen) const {
  const bool takes_all = goes_by_load(snapshot.settings.balance.policy);
  std::vector<bool> has_rival(shares_up_to_.size());
  for (const Candidate& candidate : candidates_) {
    const bool is_rival = candidate.model->is_member && candidate.obstacle.empty() &&
                          candidate.was_tried == chosen.was_tried &&
                          (takes_all || !candidate.is_young());
    if (is_rival || candidate.model == chosen.model) has_rival[candidate.level] = true;
  }
  return has_rival;
}

void Checker::check_level(const ClusterSnapshot& snapshot, const Candidate& chosen) {
  const std::vector<bool> has_available = levels_with_rivals(snapshot, chosen);
  bool may_be = false;
  for (size_t drawn = 0; drawn < has_available.size(); ++drawn) {
    const bool is_rest = drawn == 0 && shares_up_to_.back() < 1 - kRounding;
    if (share(drawn) < kRounding && !is_rest) continue;
    may_be = may_be || is_first_of(drawn, has_available, chosen.level);
  }
  if (!may_be) {
    fail("levels by their shares",
         fmt::format("{} of level {} with a share of {}", chosen.model->backend->name(),
                     chosen.level, share(chosen.level)));
  }
  // By the hashes a client that comes again draws the same again, and so do all of one prefix.
  const bool may_pass_over = has_young() && !goes_by_load(snapshot.settings.balance.policy);
  const bool is_new_draw =
      !chosen.was_tried && !may_pass_over && !looks_at_the_client(snapshot.settings.balance.policy);
  if (is_new_draw) check_spread(has_available, chosen);
}

// Counts picks where the draw alone decides: every level with a share has somebody, none without.
void Checker::check_spread(const std::vector<bool>& has_available, const Candidate& chosen) {
  if (shares_up_to_.back() < 1 - kRounding) return;
  std::optional<size_t> first;
  for (size_t i = 0; i < has_available.size(); ++i) {
    const bool has_share = share(i) >= kRounding;
    if (has_share && !first) first = i;
    const bool is_behind = shares_up_to_[i] > 1 - kRounding && !has_share;
    if (has_available[i] != has_share && !is_behind) return;
  }
  if (!first) return;
  excess_ += (chosen.level == *first ? 1 : 0) - share(*first);
  variance_ += share(*first) * (1 - share(*first));
  if (std::abs(excess_) <= kDeviationsMax * (std::sqrt(variance_) + 1)) return;
  fail("clients spread by the shares",
       fmt::format("{:.0f} too many on the first level, standard deviation {:.1f}, policy {}",
                   excess_, std::sqrt(variance_), name(settings_.balance.policy)));
}

}  // namespace sluice::sim
