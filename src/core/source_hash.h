// Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights after Schindelhauer and
// Schomaker 2005): every backend draws a number from its name's hash and the client's, -log(u) /
// weight, and the smallest is the client's. A backend that comes or goes moves its own share of the
// clients and nobody else's, and whatever the order of the configuration, the machine or the
// process, the same names give the same answer. The further order is that of the numbers, so the
// clients of a dead backend are spread over all the others.
//
// A client without an address (on a unix socket) is spread at random. O(n) when the first takes it;
// then O(n) more and O(log n) per candidate. With thousands of backends, maglev is faster.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "best_first.h"
#include "bounded_load.h"
#include "sluice/core/balancer.h"

namespace sluice {

class SourceHash final : public Balancer {
 public:
  SourceHash(const BalanceSettings& settings, Random random)
      : settings_(settings), random_(random), bound_(settings.max_load) {}

  void adopt(const PriorityLevel& level) override;
  std::optional<size_t> choose(const PickRequest& request, Accept accept) override;

 private:
  struct Score {
    uint64_t distance;  // -log2(u)
    uint32_t weight;
    uint32_t index;
    uint64_t hash;
  };
  // For a heap whose front is the best; also "b is better than a". Ties have nothing to do with the
  // order of the candidates.
  static bool is_worse(const Score& a, const Score& b);
  std::optional<Score> score(uint32_t index, uint64_t key) const;
  std::optional<Score> find_best(uint64_t key) const;
  std::optional<size_t> offer_others(const Score& offered, uint64_t key, Accept accept);

  const BalanceSettings settings_;
  Random random_;
  BackendList candidates_;
  std::vector<uint64_t> name_hashes_;
  BoundedLoad bound_;
  BestFirst<Score> ordered_;  // used during a pick
};

}  // namespace sluice
