#include "sluice/net/busy_poll.h"

#include <algorithm>

namespace sluice {

Duration BusyPoll::grant(TimePoint now) {
  if (!options_.is_enabled) return Duration(0);
  // No more than the bucket holds counts, which also keeps the product from overflowing.
  const Duration passed = std::min<Duration>(now - saved_until_, 100 * kSavedMax);
  saved_until_ = now;
  saved_ = std::min(saved_ + passed * options_.cpu_percent_max / 100, kSavedMax);
  return saved_ >= options_.span ? options_.span : Duration(0);
}

}  // namespace sluice
