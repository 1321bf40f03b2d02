#include "sluice/core/histogram.h"

namespace sluice {

std::optional<double> quantile(std::span<const uint64_t> bounds, std::span<const uint64_t> counts,
                               double part) {
  const uint64_t total = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  if (total == 0) return std::nullopt;
  const double rank = part * static_cast<double>(total);
  double below = 0;
  double lower = 0;
  for (size_t i = 0; i < bounds.size(); ++i) {
    const auto count = static_cast<double>(counts[i]);
    const auto upper = static_cast<double>(bounds[i]);
    if (count > 0 && below + count >= rank) return lower + (upper - lower) * (rank - below) / count;
    below += count;
    lower = upper;
  }
  return lower;
}

}  // namespace sluice
