// The reasons for transitions that more than one part of Cluster tells with.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/core/circuit_breaker.h"

namespace sluice {

inline constexpr std::string_view kTimeHasCome = "reopening time has come";
inline constexpr std::string_view kAsBefore = "as it was before the restart";

// "5 probes in a row", but just "1 probe".
inline std::string row_of(uint32_t count, std::string_view noun) {
  return count == 1 ? fmt::format("1 {}", noun) : fmt::format("{} {}s in a row", count, noun);
}

inline std::string why_closed(const CircuitBreakerSettings& settings) {
  if (settings.success_threshold <= 1) return "trial succeeded";
  return fmt::format("{} succeeded", row_of(settings.success_threshold, "trial"));
}

}  // namespace sluice
