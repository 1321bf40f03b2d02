#include "least_connections.h"

#include <algorithm>
#include <unordered_map>

namespace sluice {

void LeastConnections::adopt(BackendList candidates) {
  std::unordered_map<const Backend*, size_t> positions;
  for (size_t i = 0; i < candidates.size(); ++i) positions.emplace(candidates[i].get(), i);
  // The turn stays with whoever had it, or goes to the next that is still there.
  std::optional<size_t> start;
  for (uint32_t turn = 0; turn < candidates_.size() && !start; ++turn) {
    const auto kept = positions.find(candidates_[index_of(turn)].get());
    if (kept != positions.end()) start = kept->second;
  }
  start_ = start ? *start : random_.below(candidates.size());
  candidates_ = candidates;
  ordered_.reserve(candidates.size());
}

std::optional<size_t> LeastConnections::choose(const PickRequest&, Accept accept) {
  const std::optional<Load> least = find_least();
  if (!least) return std::nullopt;
  const std::optional<uint32_t> turn =
      accept(*candidates_[index_of(least->turn)]) ? least->turn : offer_others(least->turn, accept);
  if (!turn) return std::nullopt;
  const size_t chosen = index_of(*turn);
  start_ = (chosen + 1) % candidates_.size();
  return chosen;
}

std::optional<LeastConnections::Load> LeastConnections::find_least() const {
  std::optional<Load> least;
  for (uint32_t turn = 0; turn < candidates_.size(); ++turn) {
    const Load load = look_at(turn);
    if (load.weight > 0 && (!least || is_more(*least, load))) least = load;
  }
  return least;
}

std::optional<uint32_t> LeastConnections::offer_others(uint32_t declined, Accept accept) {
  ordered_.clear();
  for (uint32_t turn = 0; turn < candidates_.size(); ++turn) {
    const Load load = look_at(turn);
    if (turn != declined && load.weight > 0) ordered_.push_back(load);
  }
  std::make_heap(ordered_.begin(), ordered_.end(), is_more);
  while (!ordered_.empty()) {
    std::pop_heap(ordered_.begin(), ordered_.end(), is_more);
    const uint32_t turn = ordered_.back().turn;
    ordered_.pop_back();
    if (accept(*candidates_[index_of(turn)])) return turn;
  }
  return std::nullopt;
}

LeastConnections::Load LeastConnections::look_at(uint32_t turn) const {
  const Backend& candidate = *candidates_[index_of(turn)];
  return {candidate.active_connections() + 1, candidate.weight(), turn};
}

}  // namespace sluice
