// What is counted of a listener's sessions: one tally for each worker, and their sum.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sluice/base/counter.h"
#include "sluice/base/time.h"
#include "sluice/core/histogram.h"
#include "sluice/core/per_worker.h"
#include "sluice/proxy/end_reason.h"

namespace sluice {

// Why a worker stops accepting for a while.
enum class PauseCause : uint8_t {
  process_limit,   // max_connections
  listener_limit,  // the listener's own max_connections
  shortage,        // of descriptors, memory or local ports
};

inline constexpr std::array<std::string_view, 3> kPauseCauseNames = {"process_limit",
                                                                     "listener_limit", "shortage"};

constexpr std::string_view name(PauseCause cause) {
  return kPauseCauseNames[static_cast<size_t>(cause)];
}

inline constexpr std::array<uint64_t, 14> kSessionBoundsMs{
    1,      10,     50,      100,       500,       1'000,      5'000,
    10'000, 60'000, 300'000, 1'800'000, 3'600'000, 21'600'000, 86'400'000};
inline constexpr std::array<uint64_t, 12> kSessionBoundsBytes{
    64,      256,       1'024,      4'096,       16'384,        65'536,
    262'144, 1'048'576, 16'777'216, 268'435'456, 1'073'741'824, 17'179'869'184};

// What is left to count of a session that has ended.
struct EndedSession {
  EndReason reason = EndReason::shutdown;
  uint64_t received = 0;
  uint64_t sent = 0;
  Duration duration{};
};

// One worker's of one listener.
struct ListenerTally {
  Counter accepted;
  std::array<Counter, kEndReasonNames.size()> ends;
  std::array<Counter, kPauseCauseNames.size()> pauses;
  Histogram<kSessionBoundsMs> duration_ms;
  Histogram<kSessionBoundsBytes> received;
  Histogram<kSessionBoundsBytes> sent;

  void count_end(const EndedSession& session) {
    ends[static_cast<size_t>(session.reason)].add();
    duration_ms.add(static_cast<uint64_t>(to_ms(session.duration)));
    received.add(session.received);
    sent.add(session.sent);
  }
  void count_pause(PauseCause cause) { pauses[static_cast<size_t>(cause)].add(); }
};

// All workers' together.
struct ListenerTotals {
  uint64_t accepted = 0;
  std::array<uint64_t, kEndReasonNames.size()> ends{};
  std::array<uint64_t, kPauseCauseNames.size()> pauses{};
  Histogram<kSessionBoundsMs>::Reading duration_ms;
  Histogram<kSessionBoundsBytes>::Reading received;
  Histogram<kSessionBoundsBytes>::Reading sent;

  uint64_t ended(EndReason reason) const { return ends[static_cast<size_t>(reason)]; }
  // Sessions that have not ended.
  uint64_t active() const;
};

ListenerTotals add_up(const PerWorker<ListenerTally>& tallies);

}  // namespace sluice
