// One worker's view of one cluster: the current snapshot and the policy's position in each of its
// priority levels. Used on the worker's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <tl/expected.hpp>
#include <vector>

#include "sluice/base/random.h"
#include "sluice/base/time.h"
#include "sluice/core/balancer.h"
#include "sluice/core/cluster_snapshot.h"
#include "sluice/core/decision.h"
#include "sluice/core/lease.h"
#include "sluice/core/pick_request.h"

namespace sluice {

class Picker {
 public:
  Picker(std::shared_ptr<const ClusterSnapshot> snapshot, Random random);

  // Swaps the snapshot in; positions are kept for priorities that stay, unless the policy changed.
  void adopt(std::shared_ptr<const ClusterSnapshot> snapshot);

  enum class Refusal : uint8_t {
    unavailable,  // nobody may be tried
    at_limit,     // somebody might, but has as many connections as it may: a place can become free
    over_budget,  // one more retry would be too many
  };

  // A backend for a session that has already tried some: of the level drawn by the shares, then of
  // the others by priority, each in the policy's order, the first that admits the connection and
  // was not tried; when there is none, the first tried one that admits it.
  tl::expected<Lease, Refusal> pick(const PickRequest& request);

  // Who was passed over in the last pick, and why, whatever came of it.
  const Decision& last_decision() const { return last_decision_; }

  const std::shared_ptr<const ClusterSnapshot>& snapshot() const { return snapshot_; }

 private:
  enum class Candidates : uint8_t { untried, tried };
  // One pick: who is asked, and what came of it.
  struct Search {
    PickRequest request;
    size_t drawn_level = 0;
    Candidates candidates = Candidates::untried;
    double draw = 0;    // for those in their slow start; see Cluster::admit
    Decision decision;  // of the first round; later ones only ask the same ones again
    bool is_first_round = true;
    bool is_at_limit = false;

    void pass_over(Obstacle obstacle) {
      is_at_limit |= obstacle == Obstacle::limit;
      if (is_first_round) decision.pass_over(obstacle);
    }
  };
  Search begin_search(const PickRequest& request);
  bool is_full() const;
  tl::expected<Lease, Refusal> search_all(const PickRequest& request);
  std::optional<Lease> pick_among(Search& search);
  std::optional<Permit> ask(Search& search, const PriorityLevel& level, Backend& backend);
  std::unique_ptr<Balancer> take_balancer(uint32_t priority);

  std::shared_ptr<const ClusterSnapshot> snapshot_;
  std::vector<std::unique_ptr<Balancer>> balancers_;  // one for each of the snapshot's levels
  Decision last_decision_;
  Random random_;
};

}  // namespace sluice
