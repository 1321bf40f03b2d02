// The checker's part on round robin: turns come by the weights, exactly, as long as the same ones
// take part.
//
// Let V be how far the round has come while c turns of weight 1 pass. Everybody's next turn is one
// of its strides ahead at most, so it has had c * weight turns, one more or one less. All of k
// together had n, c times the sum of the weights up to k, so nobody is farther from
// n * weight / sum than 1 + k * weight / sum.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "checker.h"

namespace sluice::sim {

void Checker::adopted(size_t worker) {
  std::erase_if(turns_, [worker](const auto& entry) { return entry.first.first == worker; });
}

// Before the pick: who will accept when it is its turn. A turn that somebody has to pass is lost to
// it, so the count begins anew with everybody who comes or goes.
void Checker::look_at_turns(const ClusterSnapshot& snapshot) {
  if (snapshot.settings.balance.policy != BalancePolicy::round_robin) return;
  const bool is_known = !has_strangers() && !has_young();
  for (size_t level = 0; level < snapshot.levels.size(); ++level) {
    Turns& turns = turns_[{worker_, snapshot.levels[level].priority}];
    size_t count = 0;
    bool is_same = is_known;
    for (const Candidate& candidate : candidates_) {
      if (candidate.level != level || candidate.was_tried || !candidate.obstacle.empty()) continue;
      is_same = is_same && count < turns.who.size() && turns.who[count] == candidate.model;
      ++count;
    }
    if (is_same && count == turns.who.size()) continue;
    turns = {};
    if (!is_known) continue;
    for (const Candidate& candidate : candidates_) {
      if (candidate.level != level || candidate.was_tried || !candidate.obstacle.empty()) continue;
      turns.who.push_back(candidate.model);
    }
    turns.counts.resize(count);
    turns.was_seen.resize(count);
    turns.unseen = static_cast<uint32_t>(count);
  }
}

// Where a turn lay when the count began may follow from an earlier weight, so it counts from when
// everybody has had one.
void Checker::check_turn(const ClusterSnapshot& snapshot, const Candidate& chosen) {
  if (snapshot.settings.balance.policy != BalancePolicy::round_robin) return;
  Turns& turns = turns_[{worker_, snapshot.levels[chosen.level].priority}];
  const auto found = std::find(turns.who.begin(), turns.who.end(), chosen.model);
  if (found == turns.who.end()) return;
  const auto place = static_cast<size_t>(found - turns.who.begin());
  const double sum =
      std::accumulate(turns.who.begin(), turns.who.end(), 0.0,
                      [](double weights, const Model* model) { return weights + model->weight; });
  const auto members = static_cast<double>(turns.who.size());
  ++turns.picks;
  if (turns.unseen > 0) {
    if (turns.picks > 2 * (sum + members) + 4) {
      fail("everybody has its turn", fmt::format("{} of {} had none in {} picks", turns.unseen,
                                                 turns.who.size(), turns.picks));
    }
    if (!turns.was_seen[place]) --turns.unseen;
    turns.was_seen[place] = true;
    if (turns.unseen == 0) turns.picks = 0;
    return;
  }
  ++turns.counts[place];
  for (size_t i = 0; i < turns.who.size(); ++i) {
    const double part = turns.who[i]->weight / sum;
    if (std::abs(turns.counts[i] - turns.picks * part) <= 1 + members * part + kRounding) continue;
    fail("turns by the weights",
         fmt::format("{} of {} picks for {} of weight {} in {}", turns.counts[i], turns.picks,
                     turns.who[i]->backend->name(), turns.who[i]->weight, sum));
  }
}

}  // namespace sluice::sim
