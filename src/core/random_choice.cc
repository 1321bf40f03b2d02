#include "random_choice.h"

namespace sluice {

void RandomChoice::adopt(const PriorityLevel& level) {
  sample_.adopt(level.backends);
  all_.adopt(level.backends, random_);
}

std::optional<size_t> RandomChoice::choose(const PickRequest& request, Accept accept) {
  all_.begin(request);
  if (const auto chosen = offer_sampled(sample_, choices_, random_, all_, accept)) return chosen;
  return all_.offer(accept);
}

}  // namespace sluice
