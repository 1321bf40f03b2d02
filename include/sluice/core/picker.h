// One worker's view of one cluster: the current snapshot and the policy's position in each of its
// priority levels. Used on the worker's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "sluice/base/random.h"
#include "sluice/base/time.h"
#include "sluice/core/balancer.h"
#include "sluice/core/cluster_snapshot.h"
#include "sluice/core/lease.h"
#include "sluice/core/pick_request.h"

namespace sluice {

class Picker {
 public:
  Picker(std::shared_ptr<const ClusterSnapshot> snapshot, Random random);

  // Swaps the snapshot in; positions are kept for priorities that stay, unless the policy changed.
  void adopt(std::shared_ptr<const ClusterSnapshot> snapshot);

  // A backend for a session that has already tried some: of the level drawn by the shares, then of
  // the others by priority, each in the policy's order, the first that admits the connection and
  // was not tried; when there is none, the first tried one that admits it. Nothing when no backend
  // takes it.
  std::optional<Lease> pick(const PickRequest& request);

  const std::shared_ptr<const ClusterSnapshot>& snapshot() const { return snapshot_; }

 private:
  enum class Candidates : uint8_t { untried, tried };
  std::optional<Lease> pick_among(Candidates candidates, const PickRequest& request, size_t drawn);
  std::unique_ptr<Balancer> take_balancer(uint32_t priority);

  std::shared_ptr<const ClusterSnapshot> snapshot_;
  std::vector<std::unique_ptr<Balancer>> balancers_;  // one for each of the snapshot's levels
  Random random_;
};

}  // namespace sluice
