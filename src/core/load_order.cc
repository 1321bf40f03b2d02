#include "load_order.h"

#include <unordered_map>

namespace sluice {

void LoadOrder::adopt(BackendList candidates, Random& random) {
  std::unordered_map<const Backend*, size_t> positions;
  for (size_t i = 0; i < candidates.size(); ++i) positions.emplace(candidates[i].get(), i);
  std::optional<size_t> start;
  for (uint32_t turn = 0; turn < candidates_.size() && !start; ++turn) {
    const auto kept = positions.find(candidates_[index_of(turn)].get());
    if (kept != positions.end()) start = kept->second;
  }
  start_ = start ? *start : random.below(candidates.size());
  candidates_ = candidates;
  offered_.resize(candidates.size());
  ordered_.reserve(candidates.size());
}

std::optional<size_t> LoadOrder::offer(Balancer::Accept accept) {
  const std::optional<Load> least = find_least();
  if (!least) return std::nullopt;
  std::optional<size_t> chosen = offer_one(least->turn, accept);
  if (!chosen) chosen = offer_by_load(accept);
  if (chosen) start_ = (*chosen + 1) % candidates_.size();
  return chosen;
}

std::optional<Load> LoadOrder::find_least() const {
  std::optional<Load> least;
  size_t index = start_;  // counted along: a division for each would be half of the work
  for (uint32_t turn = 0; turn < candidates_.size(); ++turn) {
    const Load load = look_at(index, turn);
    // Later turns do not break ties.
    if (load.weight > 0 && (!least || Load::is_less(load, *least))) least = load;
    if (++index == candidates_.size()) index = 0;
  }
  return least;
}

std::optional<size_t> LoadOrder::offer_by_load(Balancer::Accept accept) {
  ordered_.clear();
  for (uint32_t turn = 0; turn < candidates_.size(); ++turn) {
    const Load load = look_at(index_of(turn), turn);
    if (load.weight > 0) ordered_.add(load);
  }
  const auto taken = ordered_.offer(Load::is_more, [this, &accept](const Load& load) {
    return offer_one(load.turn, accept).has_value();
  });
  return taken ? std::optional(index_of(taken->turn)) : std::nullopt;
}

std::optional<size_t> LoadOrder::offer_one(uint32_t turn, Balancer::Accept accept) {
  const size_t index = index_of(turn);
  offered_.visit(index);
  if (!accept(*candidates_[index])) return std::nullopt;
  return index;
}

// Without a weight for one that is not to be offered.
Load LoadOrder::look_at(size_t index, uint32_t turn) const {
  if (offered_.was_visited(index)) return {0, 0, turn};
  return Load::in_slow_start(*candidates_[index], turn, request_);
}

}  // namespace sluice
