// Something about a backend changed and the world should know: one log line, one counter, one
// event.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/base/time.h"

namespace sluice {

struct Transition {
  enum class Kind : uint8_t { health, breaker, panic };

  Kind kind;
  std::string cluster;
  std::string backend;    // panic: the priority, as "priority 0"
  std::string_view from;  // the state's name; static storage
  std::string_view to;
  std::string why;
  TimePoint at;
  std::optional<TimePoint> retry_at;  // when it will be tried again, where that is known
};

constexpr std::string_view name(Transition::Kind kind) {
  switch (kind) {
    case Transition::Kind::health:
      return "health";
    case Transition::Kind::breaker:
      return "breaker";
    case Transition::Kind::panic:
      return "panic";
  }
  return "";
}

// Called on whatever thread made the change happen; must not block.
using TransitionSink = std::function<void(Transition)>;

}  // namespace sluice
