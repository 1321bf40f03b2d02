// What is to be done later, in the order of times and, at the same time, in the order in which it
// was added. Pure: whoever has the clock says what time it is. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <tuple>

#include "sluice/base/time.h"

namespace sluice {

class Agenda {
 public:
  using Task = std::function<void(TimePoint now)>;
  // One task's, which nothing else ever has.
  struct Place {
    TimePoint at;
    uint64_t number = 0;

    friend bool operator<(const Place& a, const Place& b) {
      return std::tie(a.at, a.number) < std::tie(b.at, b.number);
    }
  };

  Place add(TimePoint at, Task task);
  // Nothing when it has been done.
  void cancel(const Place& place) { tasks_.erase(place); }

  std::optional<TimePoint> next() const;

  // Does what is due at `now`, also what is added meanwhile.
  void run_due(TimePoint now);

 private:
  std::map<Place, Task> tasks_;
  uint64_t next_number_ = 0;
};

}  // namespace sluice
