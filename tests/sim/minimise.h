// Makes a world in which an invariant is violated smaller: with fewer backends and workers and
// without whatever it does not take, as long as the same invariant is still violated. A smaller
// world has another story, so each is tried with several seeds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "world.h"

namespace sluice::sim {

struct Violation {
  World::Options options;
  uint64_t step;
  TimePoint at;
  std::string what;

  std::string_view invariant() const { return std::string_view(what).substr(0, what.find(':')); }
};

// Lets a world run, for `steps` at most.
std::optional<Violation> find_violation(const World::Options& options, uint64_t steps);

Violation minimise(Violation found);

}  // namespace sluice::sim
