// How a probe went, in the words of logs and metrics: it passed, or its connect failed one way or
// another, or what came back was wrong or nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace sluice {

inline constexpr std::array<std::string_view, 10> kProbeResultNames = {
    "passed",       "refused",     "timeout",   "unreachable", "reset",
    "self_connect", "local_error", "abandoned", "mismatch",    "closed"};

// Its place among the names.
constexpr std::optional<size_t> find_probe_result(std::string_view result) {
  const auto* found = std::find(kProbeResultNames.begin(), kProbeResultNames.end(), result);
  if (found == kProbeResultNames.end()) return std::nullopt;
  return static_cast<size_t>(found - kProbeResultNames.begin());
}

}  // namespace sluice
