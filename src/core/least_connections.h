// Least connections, weighted: the backend with the smallest (active + 1) / weight. Connections
// still connecting count. The counters are shared by all workers, so the choice is exact over all
// of them; two picks at the same instant may tie. Nothing shared is written, so workers do not wait
// for each other.
//
// Exact up to kExactMax candidates. Beyond that, looking at all of them would cost more than the
// connection: the least of a few drawn at random by weight is taken. With d drawn, the most loaded
// backend is above the average by no more than about ln ln n / ln d (Azar, Broder, Karlin and
// Upfal, "Balanced Allocations", 1994): with five, a connection or two. When all that were drawn
// decline, everybody is looked at.
#pragma once

#include <optional>

#include "load_order.h"
#include "sluice/core/balancer.h"
#include "weighted_sample.h"

namespace sluice {

class LeastConnections final : public Balancer {
 public:
  explicit LeastConnections(Random random) : random_(random) {}

  void adopt(const PriorityLevel& level) override;
  std::optional<size_t> choose(const PickRequest& request, Accept accept) override;

 private:
  static constexpr size_t kExactMax = 512;
  static constexpr size_t kDrawn = 5;  // at a time

  Random random_;
  BackendList candidates_;
  WeightedSample sample_;
  LoadOrder all_;
};

}  // namespace sluice
