// How much a candidate has to do for its weight, as it was looked at: (active + 1) / weight, with
// the connection that is to be placed, so that an idle backend of weight 2 goes before an idle one
// of weight 1. Compared without dividing.
#pragma once

#include <cstdint>

#include "sluice/core/backend.h"

namespace sluice {

struct Load {
  uint32_t connections;  // with the one to be placed
  uint32_t weight;
  uint32_t turn;  // breaks ties: the smaller goes first

  static Load of(const Backend& backend, uint32_t turn) {
    return {backend.active_connections() + 1, backend.weight(), turn};
  }

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
