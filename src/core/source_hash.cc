#include "source_hash.h"

#include "client_key.h"
#include "integer_log.h"
#include "stable_hash.h"

namespace sluice {

void SourceHash::adopt(const PriorityLevel& level) {
  candidates_ = level.backends;
  name_hashes_.clear();
  for (const auto& candidate : candidates_) name_hashes_.push_back(stable_hash(candidate->name()));
  bound_.adopt(candidates_);
  ordered_.reserve(candidates_.size());
}

std::optional<size_t> SourceHash::choose(const PickRequest& request, Accept accept) {
  const uint64_t key = client_key(request, settings_, random_);
  const std::optional<Score> best = find_best(key);
  if (!best) return std::nullopt;
  bound_.begin();
  if (bound_.offer(best->index, accept)) return best->index;
  if (const auto chosen = offer_others(*best, key, accept)) return chosen;
  return bound_.offer_passed_over(accept);
}

std::optional<SourceHash::Score> SourceHash::find_best(uint64_t key) const {
  std::optional<Score> best;
  for (uint32_t i = 0; i < candidates_.size(); ++i) {
    const auto other = score(i, key);
    if (other && (!best || is_worse(*best, *other))) best = other;
  }
  return best;
}

std::optional<size_t> SourceHash::offer_others(const Score& offered, uint64_t key, Accept accept) {
  ordered_.clear();
  for (uint32_t i = 0; i < candidates_.size(); ++i) {
    const auto other = score(i, key);
    if (other && i != offered.index) ordered_.add(*other);
  }
  const auto taken = ordered_.offer(
      is_worse, [this, &accept](const Score& score) { return bound_.offer(score.index, accept); });
  return taken ? std::optional<size_t>(taken->index) : std::nullopt;
}

std::optional<SourceHash::Score> SourceHash::score(uint32_t index, uint64_t key) const {
  const uint32_t weight = candidates_[index]->weight();
  if (weight == 0) return std::nullopt;
  const uint64_t hash = mix(name_hashes_[index] ^ key);
  return Score{.distance = negative_log2(hash), .weight = weight, .index = index, .hash = hash};
}

bool SourceHash::is_worse(const Score& a, const Score& b) {
  const uint64_t left = a.distance * b.weight;
  const uint64_t right = b.distance * a.weight;
  return left != right ? left > right : a.hash < b.hash;
}

}  // namespace sluice
