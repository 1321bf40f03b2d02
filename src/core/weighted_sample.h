// Draws candidates at random by weight, each at most once in a pick: a binary search over the sums
// of the weights, in which those already drawn are skipped exactly, so that a draw takes
// O(log n + drawn) however unequal the weights are.
//
// The sums are of the weights as they were last read. Weights may change at any time: each pick
// compares a few candidates, and those that it draws, with their sums' and adds up anew, O(n), when
// one differs. A weight that was raised from 0 is found so within n / kLooksPerPick picks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "load.h"
#include "load_order.h"
#include "sluice/base/random.h"
#include "sluice/core/balancer.h"

namespace sluice {

class WeightedSample {
 public:
  // Of one pick. Enough for a dead half not to matter: all of them drawn from it has a chance of
  // 2^-32.
  static constexpr size_t kDrawnMax = kChoicesMax;

  void adopt(BackendList candidates);

  // A new pick, in which nobody was drawn yet.
  void begin(const PickRequest& request);

  // Whether there is anybody left to draw; not after kDrawnMax.
  bool has_more() const { return drawn_ < kDrawnMax && weight_drawn_ < sums_.back(); }

  // Up to `count` that were not drawn yet, the least load first; `turn` is the candidate's index.
  // Fewer, or none, when there are no more. Valid until the next call.
  std::span<const Load> draw(size_t count, Random& random);

 private:
  static constexpr size_t kLooksPerPick = 4;

  // A candidate's part of the sums: [begin, begin + weight).
  struct Part {
    uint64_t begin;
    uint64_t weight;
  };

  void add_up();
  uint64_t known_weight(size_t index) const { return sums_[index + 1] - sums_[index]; }
  bool is_outdated();
  size_t draw_one(Random& random);

  BackendList candidates_;
  PickRequest request_{};       // of this pick
  std::vector<uint64_t> sums_;  // of the weights before each candidate, and of all
  size_t next_look_ = 0;
  bool has_seen_change_ = false;
  uint64_t weight_drawn_ = 0;
  size_t drawn_ = 0;
  std::array<Part, kDrawnMax> parts_{};  // those drawn, in the order of the sums
  std::array<Load, kDrawnMax> loads_{};
};

// Begins a pick in `sample` and offers what it draws, `choices` at a time, until one is accepted or
// there are no more to draw. `all`, whose pick has begun, is told of those that were offered.
std::optional<size_t> offer_sampled(WeightedSample& sample, size_t choices, Random& random,
                                    LoadOrder& all, Balancer::Accept accept);

}  // namespace sluice
