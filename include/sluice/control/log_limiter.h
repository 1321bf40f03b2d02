// Keeps a log readable when something happens again and again. A line is about a subject (this
// backend's breaker, that listener's pauses) and of a kind (the event):
//
// - of one subject so many lines a minute are let through, the first at once;
// - of all subjects of a kind kKindLinesMax in ten seconds: ten thousand backends that fail at once
//   fill no disk, and one kind's flood does not drown another kind.
//
// What is held back is counted and handed out later: of a subject the last line, which is how
// things stand now, of a kind how many there were. Pure: time is an argument. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sluice/base/function_ref.h"
#include "sluice/base/log.h"
#include "sluice/base/time.h"

namespace sluice {

class LogLimiter {
 public:
  static constexpr Duration kSubjectWindow = std::chrono::minutes(1);
  static constexpr Duration kKindWindow = std::chrono::seconds(10);
  static constexpr uint32_t kKindLinesMax = 200;

  // The last line that was held back of a subject.
  struct HeldLine {
    LogLine line;
    uint64_t before = 0;  // what was held back before it
    TimePoint at;         // when it was
  };
  struct HeldKind {
    std::string_view kind;
    uint64_t lines = 0;  // held back of all subjects together
  };
  struct Due {
    std::vector<HeldLine> lines;
    std::vector<HeldKind> kinds;
  };

  // Whether a line may be written now, the subject having `lines_max` a minute. `kind` has static
  // storage.
  bool admit(std::string_view kind, const std::string& subject, uint32_t lines_max, TimePoint now);

  // Counts a line that was not admitted, `times` times, and keeps it where it says how its subject
  // stands; `make_line` is called only then.
  void hold(std::string_view kind, const std::string& subject, TimePoint now,
            FunctionRef<LogLine()> make_line, uint64_t times = 1);

  // What is to be written now about what was held back: of subjects whose minute is over, and of
  // kinds. To be called every ten seconds or so.
  Due take_due(TimePoint now);
  // All of it, at the end.
  Due take_all();

 private:
  struct Subject {
    TimePoint begun;  // the minute
    uint32_t said = 0;
    uint64_t held = 0;
    uint64_t last_times = 0;
    TimePoint last_at{};
    LogLine last{};
  };
  struct Kind {
    TimePoint begun;  // the ten seconds
    uint32_t said = 0;
    uint64_t held = 0;                                    // of subjects that are not in the map
    std::unordered_map<std::string, Subject> subjects{};  // those with a line in their minute
  };

  static bool admit(Kind& kind, TimePoint now);
  static HeldLine take(Subject& subject);
  static void take_kind(std::string_view name, Kind& kind, Due& due);

  std::map<std::string_view, Kind> kinds_;
};

}  // namespace sluice
