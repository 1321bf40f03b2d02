#include "weighted_sample.h"

#include <algorithm>

namespace sluice {

void WeightedSample::adopt(BackendList candidates) {
  candidates_ = candidates;
  sums_.resize(candidates.size() + 1);
  next_look_ = 0;
  add_up();
}

void WeightedSample::add_up() {
  for (size_t i = 0; i < candidates_.size(); ++i)
    sums_[i + 1] = sums_[i] + candidates_[i]->weight();
  has_seen_change_ = false;
}

void WeightedSample::begin(const PickRequest& request) {
  request_ = request;
  if (is_outdated()) add_up();
  drawn_ = 0;
  weight_drawn_ = 0;
}

bool WeightedSample::is_outdated() {
  const size_t looks = std::min(kLooksPerPick, candidates_.size());
  for (size_t i = 0; i < looks && !has_seen_change_; ++i) {
    next_look_ = (next_look_ + 1) % candidates_.size();
    has_seen_change_ = candidates_[next_look_]->weight() != known_weight(next_look_);
  }
  return has_seen_change_;
}

std::span<const Load> WeightedSample::draw(size_t count, Random& random) {
  size_t loads = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!has_more()) break;
    const size_t index = draw_one(random);
    const Backend& candidate = *candidates_[index];
    if (candidate.weight() != known_weight(index)) has_seen_change_ = true;
    const Load load = Load::in_slow_start(candidate, static_cast<uint32_t>(index), request_);
    if (load.weight == 0) continue;
    // Put in its place, behind those of equal load: they were drawn first.
    size_t place = loads++;
    for (; place > 0 && Load::is_less(load, loads_[place - 1]); --place) {
      loads_[place] = loads_[place - 1];
    }
    loads_[place] = load;
  }
  return std::span(loads_).first(loads);
}

size_t WeightedSample::draw_one(Random& random) {
  uint64_t point = random.below(sums_.back() - weight_drawn_);
  size_t place = 0;
  for (; place < drawn_ && point >= parts_[place].begin; ++place) point += parts_[place].weight;
  const auto end = std::upper_bound(sums_.begin(), sums_.end(), point);
  const auto index = static_cast<size_t>(end - sums_.begin()) - 1;
  std::copy_backward(parts_.begin() + place, parts_.begin() + drawn_, parts_.begin() + drawn_ + 1);
  parts_[place] = {sums_[index], known_weight(index)};
  weight_drawn_ += parts_[place].weight;
  ++drawn_;
  return index;
}

std::optional<size_t> offer_sampled(WeightedSample& sample, size_t choices, Random& random,
                                    LoadOrder& all, Balancer::Accept accept) {
  sample.begin(all.request());
  while (sample.has_more()) {
    for (const Load& load : sample.draw(choices, random)) {
      all.mark_offered(load.turn);
      if (accept(all.candidate(load.turn))) return load.turn;
    }
  }
  return std::nullopt;
}

}  // namespace sluice
