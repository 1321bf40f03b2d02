#include "sluice/net/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

namespace sluice {
namespace {

void set_option(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

int to_seconds(Duration span) {
  return static_cast<int>(
      std::max<int64_t>(1, std::chrono::ceil<std::chrono::seconds>(span).count()));
}

}  // namespace

void set_connect_options(int fd, const TcpOptions& options) {
  // Urgent data stays in line: a read stops short at an urgent byte that is not, and loses it.
  set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
  if (options.user_timeout) {
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(to_ms(*options.user_timeout)));
  }
}

void set_nodelay(int fd) { set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

void set_keepalive(int fd, const KeepaliveOptions& options) {
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, to_seconds(options.idle));
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, to_seconds(options.interval));
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, static_cast<int>(options.probes));
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

void set_listener_options(int fd, const TcpOptions& options) {
  set_connect_options(fd, options);
  if (options.nodelay) set_nodelay(fd);
  if (options.keepalive) set_keepalive(fd, *options.keepalive);
}

void reset_on_close(int fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace sluice
