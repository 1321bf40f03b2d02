// For whom a backend is wanted.
#pragma once

#include <span>
#include <vector>

#include "sluice/base/ip_bytes.h"
#include "sluice/base/time.h"
#include "sluice/core/backend.h"

namespace sluice {

// The backends a session has tried. Bounded by connect_attempts.
using TriedBackends = std::vector<const Backend*>;

struct PickRequest {
  std::span<const Backend* const> tried;
  TimePoint now;
  IpBytes client;  // for the policies that look at it
  // For the policies that go by load, which take a young backend for a smaller one; from the
  // picker.
  Timeout slow_start = std::nullopt;
  // The attempt was picked for before, and something of our own was short: the retry budget knows
  // of it.
  bool is_postponed = false;
};

}  // namespace sluice
