// How much of the time one part of a loop may take from the others on it, and from the workers on
// the same processors: a share, and what it has saved up while there was little to do. Pure: the
// time is an argument.
#pragma once

#include <algorithm>

#include "sluice/base/time.h"

namespace sluice {

class WorkShare {
 public:
  // What may be done at a stretch after a quiet time.
  static constexpr Duration kSavedMax = std::chrono::milliseconds(50);

  // 1 to 100.
  explicit WorkShare(unsigned percent_max) : percent_max_(percent_max) {}

  // `took` is what was just done, until `now`; the answer how long to rest from it, zero while
  // something is left. `now` never goes back.
  Duration spend(Duration took, TimePoint now) {
    const Duration passed = std::min<Duration>(now - spent_until_, 100 * kSavedMax);
    spent_until_ = now;
    saved_ = std::min<Duration>(saved_ + passed * percent_max_ / 100, kSavedMax) - took;
    return saved_ < Duration::zero() ? -saved_ * 100 / percent_max_ : Duration::zero();
  }

 private:
  const unsigned percent_max_;
  Duration saved_ = kSavedMax;
  TimePoint spent_until_{};
};

}  // namespace sluice
