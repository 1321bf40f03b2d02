// A made-up clock that all threads of a test push on.
#pragma once

#include <atomic>
#include <cstdint>

#include "support.h"

namespace sluice {

class SharedClock {
 public:
  TimePoint now() const { return TimePoint(Duration(nanoseconds_.load())); }
  TimePoint advance(Duration span) {
    return TimePoint(Duration(nanoseconds_.fetch_add(span.count()) + span.count()));
  }

 private:
  std::atomic<int64_t> nanoseconds_{kStart.time_since_epoch().count()};
};

}  // namespace sluice
