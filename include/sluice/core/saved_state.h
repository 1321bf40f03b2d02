// What is kept of a backend over a restart: what was set or learnt at run time and differs from
// what a new backend of this configuration would be. Times are on the monotonic clock here; whoever
// writes them down knows the time of day.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sluice/core/backend.h"

namespace sluice {

struct SavedBackend {
  std::string name;
  std::string address;  // as Address writes it
  // What the configuration said, beside what was in force.
  AdminState configured_state = AdminState::ready;
  AdminState admin_state = AdminState::ready;
  uint32_t configured_weight = 1;
  uint32_t weight = 1;
  bool is_unhealthy = false;
  std::optional<SavedBreaker> breaker;
  Detector ejected_by = Detector::none;  // whose ejection holds the breaker open, if it is one

  friend bool operator==(const SavedBackend&, const SavedBackend&) = default;
};

// Nothing when there is nothing to keep. Control loop only.
std::optional<SavedBackend> save(const Backend& backend);

}  // namespace sluice
