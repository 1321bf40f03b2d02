// A session that is still there, as seen from outside its worker: how it is called, and what it is
// doing. Plain values; any thread may have one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/proxy/session_record.h"

namespace sluice {

// Its worker, when it began and its place among the worker's sessions. No two that live have the
// same, because a place is one session's at a time; who gets it next has another time, unless both
// began in the same millisecond. It costs a session no memory and leads to it at once.
struct SessionId {
  uint32_t worker = 0;
  int64_t started_ms = 0;  // on the machine's monotonic clock
  uint32_t slot = 0;

  // 0-86400123-57.
  std::string to_string() const;
  // Nothing when `text` is none.
  static std::optional<SessionId> parse(std::string_view text);

  friend bool operator==(const SessionId&, const SessionId&) = default;
};

// The order of lists: the youngest first, to the millisecond; then any order that stays the same.
constexpr bool is_listed_before(const SessionId& a, const SessionId& b) {
  if (a.started_ms != b.started_ms) return a.started_ms > b.started_ms;
  return a.worker != b.worker ? a.worker < b.worker : a.slot < b.slot;
}

// Which sessions somebody wants to see; an empty name is any.
struct SessionQuery {
  size_t count_max = 0;
  std::string listener{};
  std::string cluster{};
  std::string backend{};             // the one it is at, or the last that was tried
  std::optional<SessionId> after{};  // those listed behind this one, whether it lives or not

  friend bool operator==(const SessionQuery&, const SessionQuery&) = default;
};

struct LiveSession {
  SessionId id;
  std::string_view state;  // pending, connecting, relaying or closing
  SessionRecord record;    // so far: `reason` means nothing yet
};

// What there is for a query.
struct LiveSessions {
  std::vector<LiveSession> sessions;  // in the order of lists
  size_t total = 0;                   // of all sessions
  size_t matching = 0;  // of those that match, listed or not, before `after` or behind
  // Behind this one there are more than were asked for; none: these are all.
  std::optional<SessionId> reaches_to;
};

// Adds what another worker has for the same query, and keeps the first `count_max`.
void merge_into(LiveSessions& all, LiveSessions more, size_t count_max);

}  // namespace sluice
