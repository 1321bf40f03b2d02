// How long a worker may look for work before it sleeps: the configured span while it has had work
// just now, and on the whole never more than its share of the time. A token bucket: every second
// brings the share, what is spent on looking is taken out, and a quiet time saves up kSavedMax at
// most. Pure: the time is an argument.
#pragma once

#include "sluice/base/busy_poll_options.h"
#include "sluice/base/time.h"

namespace sluice {

class BusyPoll {
 public:
  static constexpr Duration kSavedMax = std::chrono::milliseconds(10);

  explicit BusyPoll(const BusyPollOptions& options) : options_(options) {}

  // The span, or zero: sleep at once. `now` never goes back.
  Duration grant(TimePoint now);
  // Takes out what a grant was used for.
  void spend(Duration looked) { saved_ -= looked; }

 private:
  const BusyPollOptions options_;
  Duration saved_{0};
  TimePoint saved_until_{};
};

}  // namespace sluice
