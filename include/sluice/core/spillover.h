// How clients spread over a cluster's priority levels. They stay on the first level while enough of
// its backends are available, and the rest goes on to the next one gradually. The algorithm is
// Envoy's ("Priority levels",
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/priority)
// with finer shares than its whole percents: a level can take `overprovisioning` percent of what
// its available part is of the whole, at most 100 %; each level in turn takes what it can of what
// is left; and when all together cannot take 100 %, each gets its part of what they can.
//
// The control loop computes the shares, workers draw by them. A share may be late: a level where
// nobody admits is passed over, so a client is refused only when no level has anybody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sluice/base/function_ref.h"
#include "sluice/base/random.h"
#include "sluice/core/cluster_snapshot.h"

namespace sluice {

// The backends of one level, and those of them that take ordinary connections.
struct LevelStrength {
  uint32_t available = 0;
  uint32_t total = 0;
};

// For each level, the preferred first: the share of it and of all before it, of kWholeShare.
// `overprovisioning` in percent. When nobody is available anywhere the first level has it all.
std::vector<uint32_t> shares_up_to(std::span<const LevelStrength> levels, double overprovisioning);

// The level of one pick, drawn by the shares; without a draw where the first level has it all.
size_t draw_level(std::span<const PriorityLevel> levels, Random& random);

// Visits levels until one says that it took the client. The drawn one comes first, after those
// before it that have no share: nobody there takes ordinary connections, but one whose breaker is
// half_open may want its trial, and nobody else would bring it. Then all the others by priority.
// Says whether the client was taken.
bool visit_levels(std::span<const PriorityLevel> levels, size_t drawn,
                  FunctionRef<bool(size_t level)> visit);

}  // namespace sluice
