// Maglev hashing: the client's hash is a slot of the table that the control loop has made, and its
// owner is the client's backend. When that one declines, the owners of further slots are offered,
// each once, and last those without a slot. O(1) when the first takes it.
//
// The further slots lie a stride of the client's own apart. In the order of the table, the clients
// of a dead backend would go to those whose permutations happen to lie beside its: among five
// backends, a third too many or too few. The number of slots is prime, so every stride comes to
// all.
//
// A weight counts when the table is made anew, with the next snapshot; one of 0 at once. A client
// without an address (on a unix socket) is spread at random.
#pragma once

#include <memory>
#include <optional>

#include "bounded_load.h"
#include "maglev_table.h"
#include "sluice/core/balancer.h"
#include "visit_marks.h"

namespace sluice {

class Maglev final : public Balancer {
 public:
  Maglev(const BalanceSettings& settings, Random random)
      : settings_(settings), random_(random), bound_(settings.max_load) {}

  void adopt(const PriorityLevel& level) override;
  std::optional<size_t> choose(const PickRequest& request, Accept accept) override;

 private:
  std::optional<size_t> offer_owners(uint64_t key, Accept accept);
  std::optional<size_t> offer_others(Accept accept);

  const BalanceSettings settings_;
  Random random_;
  BackendList candidates_;
  std::shared_ptr<const MaglevTable> table_;
  BoundedLoad bound_;
  VisitMarks offered_;
};

}  // namespace sluice
