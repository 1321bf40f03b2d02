#include "sluice/core/spillover.h"

#include <algorithm>
#include <bitset>

namespace sluice {
namespace {

// Levels beyond that may be visited twice.
constexpr size_t kLevelsRemembered = 64;

// What a level can take, 1 being all clients.
double capacity(const LevelStrength& level, double overprovisioning) {
  if (level.total == 0) return 0;
  return std::min(1.0, overprovisioning * level.available / (100.0 * level.total));
}

uint32_t share_up_to(const PriorityLevel& level) {
  return level.share_up_to->load(std::memory_order_relaxed);
}

bool has_share(std::span<const PriorityLevel> levels, size_t index) {
  return share_up_to(levels[index]) > (index == 0 ? 0 : share_up_to(levels[index - 1]));
}

}  // namespace

std::vector<uint32_t> shares_up_to(std::span<const LevelStrength> levels, double overprovisioning) {
  double sum = 0;
  for (const LevelStrength& level : levels) sum += capacity(level, overprovisioning);
  if (sum == 0) return std::vector<uint32_t>(levels.size(), kWholeShare);
  const double all = std::min(1.0, sum);
  std::vector<uint32_t> shares;
  double reached = 0;
  for (const LevelStrength& level : levels) {
    reached += capacity(level, overprovisioning);
    shares.push_back(static_cast<uint32_t>(std::min(1.0, reached / all) * kWholeShare));
  }
  return shares;
}

size_t draw_level(std::span<const PriorityLevel> levels, Random& random) {
  if (levels.size() <= 1 || share_up_to(levels[0]) >= kWholeShare) return 0;
  const uint64_t drawn = random.below(kWholeShare);
  for (size_t i = 0; i < levels.size(); ++i) {
    if (drawn < share_up_to(levels[i])) return i;
  }
  return 0;  // the share is that of a level which this snapshot does not have
}

bool visit_levels(std::span<const PriorityLevel> levels, size_t drawn,
                  FunctionRef<bool(size_t level)> visit) {
  // Remembered, because a share may change meanwhile, and then one would be left out.
  std::bitset<kLevelsRemembered> visited;
  const auto visit_once = [&](size_t i) {
    const bool is_remembered = i < visited.size();
    if (is_remembered && visited.test(i)) return false;
    if (is_remembered) visited.set(i);
    return visit(i);
  };
  for (size_t i = 0; i < std::min(drawn, levels.size()); ++i) {
    if (!has_share(levels, i) && visit_once(i)) return true;
  }
  if (drawn < levels.size() && visit_once(drawn)) return true;
  for (size_t i = 0; i < levels.size(); ++i) {
    if (visit_once(i)) return true;
  }
  return false;
}

}  // namespace sluice
