#include "sluice/control/log_limiter.h"

#include <utility>

namespace sluice {

bool LogLimiter::admit(Kind& kind, TimePoint now) {
  if (now - kind.begun >= kKindWindow) {
    kind.begun = now;
    kind.said = 0;
  }
  if (kind.said == kKindLinesMax) return false;
  ++kind.said;
  return true;
}

bool LogLimiter::admit(std::string_view kind_name, const std::string& subject_name,
                       uint32_t lines_max, TimePoint now) {
  Kind& kind = kinds_.try_emplace(kind_name, Kind{.begun = now}).first->second;
  const auto found = kind.subjects.find(subject_name);
  if (found == kind.subjects.end()) {
    if (!admit(kind, now)) return false;
    kind.subjects.emplace(subject_name, Subject{.begun = now, .said = 1});
    return true;
  }
  Subject& subject = found->second;
  // Behind a line that waits, later ones wait too: else the last word would be an old one.
  if (subject.held > 0) return false;
  const bool is_over = now - subject.begun >= kSubjectWindow;
  if ((!is_over && subject.said >= lines_max) || !admit(kind, now)) return false;
  if (is_over) subject = {.begun = now};
  ++subject.said;
  return true;
}

void LogLimiter::hold(std::string_view kind_name, const std::string& subject_name, TimePoint now,
                      FunctionRef<LogLine()> make_line, uint64_t times) {
  Kind& kind = kinds_.at(kind_name);
  const auto found = kind.subjects.find(subject_name);
  if (found == kind.subjects.end()) {
    kind.held += times;
    return;
  }
  Subject& subject = found->second;
  subject.held += times;
  subject.last_times = times;
  subject.last_at = now;
  subject.last = make_line();
}

LogLimiter::HeldLine LogLimiter::take(Subject& subject) {
  return {.line = std::move(subject.last),
          .before = std::exchange(subject.held, 0) - subject.last_times,
          .at = subject.last_at};
}

void LogLimiter::take_kind(std::string_view name, Kind& kind, Due& due) {
  if (kind.held > 0) due.kinds.push_back({.kind = name, .lines = std::exchange(kind.held, 0)});
}

LogLimiter::Due LogLimiter::take_due(TimePoint now) {
  Due due;
  for (auto& [name, kind] : kinds_) {
    for (auto at = kind.subjects.begin(); at != kind.subjects.end();) {
      Subject& subject = at->second;
      if (now - subject.begun < kSubjectWindow) {
        ++at;
      } else if (subject.held > 0 && admit(kind, now)) {
        due.lines.push_back(take(subject));
        subject = {.begun = now, .said = 1};
        ++at;
      } else {
        kind.held += subject.held;
        at = kind.subjects.erase(at);
      }
    }
    take_kind(name, kind, due);
  }
  return due;
}

LogLimiter::Due LogLimiter::take_all() {
  Due due;
  for (auto& [name, kind] : kinds_) {
    uint32_t said = 0;
    for (auto& [subject_name, subject] : kind.subjects) {
      if (subject.held == 0) continue;
      if (said++ < kKindLinesMax) {
        due.lines.push_back(take(subject));
      } else {
        kind.held += subject.held;
      }
    }
    take_kind(name, kind, due);
  }
  kinds_.clear();
  return due;
}

}  // namespace sluice
