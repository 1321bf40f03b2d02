#include "minimise.h"

#include <algorithm>
#include <utility>

namespace sluice::sim {
namespace {

constexpr uint64_t kSeedsPerTry = 30;
constexpr uint64_t kSeedsInTheEnd = 100;
constexpr uint64_t kStepsMin = 2000;

// The one that comes soonest, among so many seeds.
std::optional<Violation> find_again(World::Options options, const Violation& found,
                                    uint64_t seeds) {
  std::optional<Violation> best;
  uint64_t steps = 2 * std::max(found.step, kStepsMin);
  const uint64_t first = options.seed;
  for (options.seed = first; options.seed < first + seeds; ++options.seed) {
    auto another = find_violation(options, steps);
    if (!another || another->invariant() != found.invariant()) continue;
    steps = another->step;
    best = std::move(another);
  }
  return best;
}

// Whether `options` still do it, which is taken over then.
bool shrink(Violation& found, const World::Options& options) {
  auto smaller = find_again(options, found, kSeedsPerTry);
  if (!smaller) return false;
  found = std::move(*smaller);
  return true;
}

}  // namespace

std::optional<Violation> find_violation(const World::Options& options, uint64_t steps) {
  World world(options);
  for (uint64_t step = 0; step < steps; ++step) {
    if (!world.step()) return Violation{options, step, world.now(), *world.checker().violation()};
  }
  return std::nullopt;
}

Violation minimise(Violation found) {
  for (size_t feature = 0; feature < kFeatureNames.size(); ++feature) {
    World::Options options = found.options;
    options.is_without[feature] = true;
    shrink(found, options);
  }
  for (size_t backends = 1; backends < found.options.backends; ++backends) {
    World::Options options = found.options;
    options.backends = backends;
    if (shrink(found, options)) break;
  }
  for (size_t workers = 1; workers < found.options.workers; ++workers) {
    World::Options options = found.options;
    options.workers = workers;
    if (shrink(found, options)) break;
  }
  auto soonest = find_again(found.options, found, kSeedsInTheEnd);
  return soonest && soonest->step < found.step ? std::move(*soonest) : std::move(found);
}

}  // namespace sluice::sim
