// The time of day, for people: log lines only. Nothing is ever decided by it.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace sluice {

using WallTime = std::chrono::system_clock::time_point;

// RFC 3339 in UTC with milliseconds: 2026-01-31T12:00:00.123Z.
std::string format_rfc3339(WallTime time);

// The same for many moments in a row, most of which share their second with the one before.
class Rfc3339Writer {
 public:
  std::string_view text(WallTime time);  // until the next call

 private:
  std::string text_;
  WallTime second_;  // of text_, when there is any
};

}  // namespace sluice
