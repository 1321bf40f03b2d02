// Looking for work again and again for a moment before going to sleep for it: a wake-up less in
// every round trip, paid for with CPU time.
#pragma once

#include <chrono>
#include <cstdint>

#include "sluice/base/time.h"

namespace sluice {

struct BusyPollOptions {
  bool is_enabled = false;
  Duration span = std::chrono::microseconds(50);  // at most, before a sleep
  uint32_t cpu_percent_max = 50;                  // of the worker's time that may go into looking
};

}  // namespace sluice
