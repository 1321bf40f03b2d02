// What is counted of backends and clusters: by the workers, each in a tally of its own
// (core/per_worker.h), and by the control loop.
#pragma once

#include <array>
#include <cstdint>

#include "sluice/base/counter.h"
#include "sluice/core/cache_line.h"
#include "sluice/core/circuit_breaker.h"
#include "sluice/core/histogram.h"
#include "sluice/core/probe_result.h"

namespace sluice {

// Milliseconds, which is how a loop's clock ticks.
inline constexpr std::array<uint64_t, 12> kConnectBoundsMs{1,   2,   5,   10,   20,   50,
                                                           100, 200, 500, 1000, 2000, 5000};
using ConnectTimes = Histogram<kConnectBoundsMs>;

// One worker's of one backend.
struct BackendTally {
  Counter received;         // bytes from clients, handed to the backend
  Counter sent;             // bytes from the backend, handed to clients
  ConnectTimes connect_ms;  // of its sessions: of the connect that succeeded, from its beginning
};
static_assert(sizeof(BackendTally) == 2 * kCacheLine, "there are many: none of it is padding");

// One worker's of one cluster.
struct ClusterTally {
  Counter retries;          // connects begun that were not their session's first
  ConnectTimes connect_ms;  // of sessions that got a backend, from accept on
};

// All workers' together.
struct BackendTotals {
  uint64_t received = 0;
  uint64_t sent = 0;
  ConnectTimes::Reading connect_ms;
};
struct ClusterTotals {
  uint64_t retries = 0;
  ConnectTimes::Reading connect_ms;
};

// What the control loop counts of a backend, and nobody else reads.
struct BackendEvents {
  std::array<uint64_t, kProbeResultNames.size()> probes{};  // by result
  std::array<uint64_t, 3> breaker_transitions{};            // by the state it turned to

  // Results of other words than those are nobody's.
  void count_probe(std::string_view result) {
    if (const auto place = find_probe_result(result)) ++probes[*place];
  }
  void count_transition(std::string_view to) {
    for (const auto state : {BreakerState::closed, BreakerState::open, BreakerState::half_open}) {
      if (to == name(state)) ++breaker_transitions[static_cast<size_t>(state)];
    }
  }
};

}  // namespace sluice
