#include "first.h"

namespace sluice {

std::optional<size_t> First::choose(const PickRequest&, Accept accept) {
  for (size_t i = 0; i < candidates_.size(); ++i) {
    if (candidates_[i]->weight() > 0 && accept(*candidates_[i])) return i;
  }
  return std::nullopt;
}

}  // namespace sluice
