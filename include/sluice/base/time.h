// Time as the program reasons about it: points on the machine's monotonic clock and spans between
// them, in nanoseconds. There is no `now()` here on purpose: whoever may read a clock (net,
// control) does, everybody else is handed the time as an argument. 64 bits of nanoseconds last 292
// years.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace sluice {

// A clock type without a clock.
struct Monotonic {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Monotonic>;
  static constexpr bool is_steady = true;
};

using Duration = std::chrono::nanoseconds;
using TimePoint = Monotonic::time_point;

// A span that may be switched `off`: no value is off.
using Timeout = std::optional<Duration>;

// Whole milliseconds of a span, rounded down.
constexpr int64_t to_ms(Duration span) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
}

}  // namespace sluice
