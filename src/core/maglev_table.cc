#include "maglev_table.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>
#include <tuple>
#include <utility>

#include "stable_hash.h"

namespace sluice {
namespace {

constexpr uint32_t kFree = std::numeric_limits<uint32_t>::max();

}  // namespace

// A candidate while the table is filled.
struct MaglevTable::Player {
  uint32_t index;
  uint64_t name_hash;
  uint32_t next;  // slot of its permutation
  uint32_t skip;  // from one to the next
  uint32_t weight;
  uint64_t turns = 0;  // it has had

  // The round of its next turn, of which it gets weight / greatest weight in each; the first one
  // comes half a turn early, so that shares are rounded and not cut off.
  uint64_t next_round(uint64_t greatest_weight) const {
    return ((2 * turns + 1) * greatest_weight + 2 * weight - 1) / (2 * weight);
  }
};

MaglevTable::MaglevTable(BackendList candidates) {
  for (const auto& candidate : candidates) {
    candidates_.push_back(candidate.get());
    weights_.push_back(candidate->weight());
  }
  std::vector<Player> players = players_of(candidates_, weights_);
  if (!players.empty()) fill(players);
}

std::vector<MaglevTable::Player> MaglevTable::players_of(
    const std::vector<const Backend*>& candidates, const std::vector<uint32_t>& weights) {
  std::vector<Player> players;
  for (uint32_t i = 0; i < candidates.size(); ++i) {
    if (weights[i] == 0) continue;
    const uint64_t hash = stable_hash(candidates[i]->name());
    players.push_back({.index = i,
                       .name_hash = hash,
                       .next = static_cast<uint32_t>(hash % kSlots),
                       .skip = static_cast<uint32_t>(mix(hash) % (kSlots - 1)) + 1,
                       .weight = weights[i]});
  }
  std::sort(players.begin(), players.end(), [&](const Player& a, const Player& b) {
    return std::tie(a.name_hash, candidates[a.index]->name()) <
           std::tie(b.name_hash, candidates[b.index]->name());
  });
  return players;
}

void MaglevTable::fill(std::vector<Player>& players) {
  const uint64_t greatest_weight = *std::max_element(weights_.begin(), weights_.end());
  using Turn = std::pair<uint64_t, uint32_t>;  // its round, and whose
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  for (uint32_t i = 0; i < players.size(); ++i) {
    turns.emplace(players[i].next_round(greatest_weight), i);
  }
  slots_.assign(kSlots, kFree);
  for (uint32_t taken = 0; taken < kSlots; ++taken) {
    const uint32_t whose = turns.top().second;
    turns.pop();
    Player& player = players[whose];
    while (slots_[player.next] != kFree) player.next = (player.next + player.skip) % kSlots;
    slots_[player.next] = player.index;
    if (player.turns++ == 0) ++owners_;
    turns.emplace(player.next_round(greatest_weight), whose);
  }
}

bool MaglevTable::is_of(BackendList candidates) const {
  return std::equal(candidates.begin(), candidates.end(), candidates_.begin(), candidates_.end(),
                    [](const auto& a, const Backend* b) { return a.get() == b; }) &&
         std::equal(candidates.begin(), candidates.end(), weights_.begin(),
                    [](const auto& a, uint32_t weight) { return a->weight() == weight; });
}

}  // namespace sluice
