// Balancing policies. A policy proposes an order of candidates; the caller asks each "will you take
// it?" (administrative state, health, breaker, limits). So a policy knows nothing about health, and
// a new one is one file and one schema row.
//
// A Balancer holds one worker's position in one priority level of one cluster. It belongs to that
// worker's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "sluice/base/function_ref.h"
#include "sluice/base/random.h"
#include "sluice/core/backend.h"
#include "sluice/core/cluster_snapshot.h"
#include "sluice/core/pick_request.h"

namespace sluice {

class Balancer {
 public:
  using Accept = FunctionRef<bool(Backend& candidate)>;

  virtual ~Balancer() = default;

  // Replaces the candidates by those of `level`, which outlives the next adopt(). Keeps the
  // position as far as it can: a backend in both keeps its turn.
  virtual void adopt(const PriorityLevel& level) = 0;

  // Offers candidates, best first and each at most once, until one is accepted: its index, or
  // nothing when all declined. Backends of weight 0 are not offered. Allocates nothing.
  virtual std::optional<size_t> choose(const PickRequest& request, Accept accept) = 0;
};

std::unique_ptr<Balancer> make_balancer(const BalanceSettings& settings, Random random);

}  // namespace sluice
