// The options of TCP sockets that the configuration sets, for one side: a listener's clients or a
// cluster's backends. Unix sockets ignore them.
#pragma once

#include <cstdint>
#include <optional>

#include "sluice/base/time.h"

namespace sluice {

struct KeepaliveOptions {
  Duration idle = std::chrono::seconds(60);
  Duration interval = std::chrono::seconds(10);
  uint32_t probes = 3;
};

struct TcpOptions {
  bool nodelay = true;
  std::optional<KeepaliveOptions> keepalive = KeepaliveOptions{};
  // Bytes sent and none acknowledged for that long end the session (net/dead_peer.h).
  Timeout dead_peer_timeout = std::chrono::seconds(30);
  // TCP_USER_TIMEOUT, which also ends readers that are merely slow.
  Timeout user_timeout;
};

}  // namespace sluice
