// The rows that listeners and clusters share: socket options of one side.
#pragma once

#include <utility>
#include <vector>

#include "row.h"

namespace sluice {

template <typename Scope>
void append_tcp_rows(std::vector<Row<Scope>>& rows) {
  using std::chrono::hours;
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  std::vector<Row<Scope>> tcp = {
      {"tcp", section(), Reload::yes, "socket options of this side's connections"},
      {"tcp.nodelay", FIELD(tcp.nodelay), boolean(), Reload::yes,
       "send small segments at once (TCP_NODELAY)"},
      Row<Scope>::switchable(
          "tcp.keepalive", [](Scope& scope) { scope.tcp.keepalive.reset(); },
          [](const Scope& scope) { return scope.tcp.keepalive.has_value(); }, Reload::yes,
          "the kernel's probes on a silent connection"),
      // The kernel's own bounds (MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT).
      {"tcp.keepalive.idle", FIELD(tcp.keepalive->idle),
       duration(seconds(1), seconds(32767)).in_seconds(), Reload::yes, "silence before the first"},
      {"tcp.keepalive.interval", FIELD(tcp.keepalive->interval),
       duration(seconds(1), seconds(32767)).in_seconds(), Reload::yes, "time between two"},
      {"tcp.keepalive.probes", FIELD(tcp.keepalive->probes), integer(1, 127), Reload::yes,
       "unanswered ones that end the connection"},
      {"tcp.dead_peer_timeout", FIELD(tcp.dead_peer_timeout),
       duration(seconds(1), hours(24)).or_off(), Reload::yes,
       "bytes sent and none acknowledged for that long: the peer is gone and the session ends. A "
       "reader that is merely slow acknowledges, and is left alone"},
      {"tcp.user_timeout", FIELD(tcp.user_timeout), duration(milliseconds(1), hours(24)).or_off(),
       Reload::yes, "the kernel's TCP_USER_TIMEOUT; it ends slow readers too"},
  };
  for (const std::string_view key : {"tcp.fast_open", "tcp.defer_accept", "tcp.congestion",
                                     "tcp.mark", "tcp.send_buffer", "tcp.receive_buffer"}) {
    tcp.push_back(Row<Scope>::later(key));
  }
  for (Row<Scope>& row : tcp) rows.push_back(std::move(row));
}

}  // namespace sluice
