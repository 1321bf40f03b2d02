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

// Its worker, when it began and its client's descriptor. No two that live have the same, because a
// descriptor is one session's at a time; one that was made again for another has another time,
// unless both happened in the same millisecond. It costs a session no memory.
struct SessionId {
  uint32_t worker = 0;
  int64_t started_ms = 0;  // on the machine's monotonic clock
  int client_fd = 0;

  // 0-86400123-57.
  std::string to_string() const;
  // Nothing when `text` is none.
  static std::optional<SessionId> parse(std::string_view text);

  friend bool operator==(const SessionId&, const SessionId&) = default;
};

struct LiveSession {
  SessionId id;
  std::string_view state;  // pending, connecting, relaying or closing
  SessionRecord record;    // so far: `reason` means nothing yet
};

struct LiveSessions {
  std::vector<LiveSession> sessions;  // some of them
  size_t total = 0;
};

}  // namespace sluice
