// How much a candidate has to do for its weight, as it was looked at: (active + 1) / weight, with
// the connection that is to be placed, so that an idle backend of weight 2 goes before an idle one
// of weight 1. Compared without dividing.
#pragma once

#include <algorithm>
#include <cstdint>

#include "sluice/core/backend.h"
#include "sluice/core/pick_request.h"

namespace sluice {

struct Load {
  uint32_t connections;  // with the one to be placed
  uint32_t weight;
  uint32_t turn;  // breaks ties: the smaller goes first

  static Load of(const Backend& backend, uint32_t turn) {
    return {backend.active_connections() + 1, backend.weight(), turn};
  }
  // With as much less weight as its slow start leaves it. Not to be compared with the above.
  static Load in_slow_start(const Backend& backend, uint32_t turn, const PickRequest& request) {
    Load load = of(backend, turn);
    load.weight *= kWeightScale;
    if (!request.slow_start || load.weight == 0) return load;
    const double share = backend.share(request.now, *request.slow_start);
    load.weight = std::max(1U, static_cast<uint32_t>(load.weight * share));
    return load;
  }
  // The finest part of a weight of 1; weights end at 1000.
  static constexpr uint32_t kWeightScale = 1024;

  // By the load alone.
  static bool is_less(const Load& a, const Load& b) {
    return uint64_t{a.connections} * b.weight < uint64_t{b.connections} * a.weight;
  }

  // For a heap whose front is the least; also "b is better than a".
  static bool is_more(const Load& a, const Load& b) {
    return is_less(b, a) || (!is_less(a, b) && a.turn > b.turn);
  }
};

}  // namespace sluice
