#include "http_connection.h"

#include <sys/socket.h>

namespace sluice {

bool is_same_host(const Address& a, const Address& b) {
  return a.is_ip() && a.kind() == b.kind() && a.bytes() == b.bytes();
}

void HttpConnection::move_to(Phase next, TimePoint now) {
  if (phase == Phase::ending) return;
  phase = next;
  since = now;
}

void HttpConnection::drop_unsent() const {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

}  // namespace sluice
