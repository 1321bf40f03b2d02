// The time of day, for people: log lines only. Nothing is ever decided by it.
#pragma once

#include <chrono>
#include <string>

namespace sluice {

using WallTime = std::chrono::system_clock::time_point;

// RFC 3339 in UTC with milliseconds: 2026-01-31T12:00:00.123Z.
std::string format_rfc3339(WallTime time);

}  // namespace sluice
