#include "least_connections.h"

namespace sluice {

void LeastConnections::adopt(const PriorityLevel& level) {
  candidates_ = level.backends;
  all_.adopt(candidates_, random_);
  sample_.adopt(candidates_);
}

std::optional<size_t> LeastConnections::choose(const PickRequest& request, Accept accept) {
  all_.begin(request);
  if (candidates_.size() > kExactMax) {
    if (const auto chosen = offer_sampled(sample_, kDrawn, random_, all_, accept)) return chosen;
  }
  return all_.offer(accept);
}

}  // namespace sluice
