// The first that accepts, in the order of the configuration: fills one backend up to its limit
// before the next gets anything.
#pragma once

#include <optional>

#include "sluice/core/balancer.h"

namespace sluice {

class First final : public Balancer {
 public:
  void adopt(const PriorityLevel& level) override { candidates_ = level.backends; }
  std::optional<size_t> choose(const PickRequest& request, Accept accept) override;

 private:
  BackendList candidates_;
};

}  // namespace sluice
