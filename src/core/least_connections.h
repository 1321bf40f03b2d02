// Least connections, weighted: the backend with the smallest (active + 1) / weight, so that the one
// being placed counts too and an idle backend of weight 2 goes before an idle one of weight 1.
// Connections still connecting count. The counters are shared by all workers, so the choice is
// exact over all of them; two picks at the same instant may tie. Ties go round, from a random
// start.
//
// O(n) when the best takes it. When it declines, the others are ordered once by a heap: O(n) more
// plus O(log n) per candidate offered.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sluice/core/balancer.h"

namespace sluice {

class LeastConnections final : public Balancer {
 public:
  explicit LeastConnections(Random random) : random_(random) {}

  void adopt(BackendList candidates) override;
  std::optional<size_t> choose(const PickRequest& request, Accept accept) override;

 private:
  // A candidate as it was looked at.
  struct Load {
    uint32_t connections;  // with the one to be placed
    uint32_t weight;
    uint32_t turn;  // places after start_; breaks ties
  };
  // For a heap whose front is the least; also "b is better than a".
  static bool is_more(const Load& a, const Load& b) {
    const uint64_t left = uint64_t{a.connections} * b.weight;
    const uint64_t right = uint64_t{b.connections} * a.weight;
    return left != right ? left > right : a.turn > b.turn;
  }

  size_t index_of(uint32_t turn) const { return (start_ + turn) % candidates_.size(); }
  Load look_at(uint32_t turn) const;
  std::optional<Load> find_least() const;
  std::optional<uint32_t> offer_others(uint32_t declined, Accept accept);

  Random random_;
  BackendList candidates_;
  size_t start_ = 0;           // whose turn it is among equals
  std::vector<Load> ordered_;  // a heap, used during a pick
};

}  // namespace sluice
