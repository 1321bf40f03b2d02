// Random with choices: so many distinct candidates are drawn by weight, and the one with the least
// load for its weight is offered first (Mitzenmacher, "The Power of Two Choices in Randomized Load
// Balancing", 1996). Drawn without replacement: of three backends, two draws with replacement are
// the same one in every third pick, and then there is no choice. With `choices: 1` it is plain
// weighted random.
//
// When all of them decline, as many more are drawn; after a few rounds the others are offered by
// their load. O(log n) per candidate drawn.
#pragma once

#include <optional>

#include "load_order.h"
#include "sluice/core/balancer.h"
#include "weighted_sample.h"

namespace sluice {

class RandomChoice final : public Balancer {
 public:
  RandomChoice(size_t choices, Random random) : choices_(choices), random_(random) {}

  void adopt(const PriorityLevel& level) override;
  std::optional<size_t> choose(const PickRequest& request, Accept accept) override;

 private:
  const size_t choices_;
  Random random_;
  WeightedSample sample_;
  LoadOrder all_;
};

}  // namespace sluice
