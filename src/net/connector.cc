#include "sluice/net/connector.h"

#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

#include "sluice/net/socket_address.h"
#include "sluice/net/socket_options.h"

namespace sluice {
namespace {

int bind_source(int fd, const Address& source) {
  // Chooses the port at connect(), so that one port can serve many destinations (ip(7)).
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  const SocketAddress address(source.with_port(0));
  return ::bind(fd, address.data(), address.size()) == 0 ? 0 : errno;
}

bool has_peer(int fd) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  return ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

}  // namespace

ConnectStart start_connect(const Address& target, const std::optional<Address>& source,
                           const TcpOptions& options) {
  const SocketAddress address(target);
  ConnectStart start;
  start.fd = UniqueFd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!start.fd) {
    start.error = errno;
    return start;
  }
  if (target.is_ip()) {
    set_connect_options(start.fd.get(), options);
    if (source && source->kind() == target.kind()) {
      start.error = bind_source(start.fd.get(), *source);
      if (start.error != 0) return start;
    }
  }
  if (::connect(start.fd.get(), address.data(), address.size()) == 0 || errno == EINPROGRESS) {
    return start;
  }
  // Only unix sockets mean "full backlog" by EAGAIN; for IP it is a lack of local ports.
  start.is_backlog_full = errno == EAGAIN && target.is_unix();
  start.error = start.is_backlog_full ? 0 : errno;
  return start;
}

int connect_again(int fd, const Address& target) {
  const SocketAddress address(target);
  return ::connect(fd, address.data(), address.size()) == 0 ? 0 : errno;
}

ConnectError classify_connect_error(int error) {
  switch (error) {
    case ECONNREFUSED:
    case ENOENT:      // the socket's file is not there
    case ENOTSOCK:    // a file, but no socket
    case EPROTOTYPE:  // a socket, but not of streams
      return ConnectError::refused;
    case ETIMEDOUT:
      return ConnectError::timeout;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case ENOPROTOOPT:  // ICMP: protocol unreachable
      return ConnectError::unreachable;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
      return ConnectError::reset;
    default:
      return ConnectError::local;
  }
}

ConnectProgress connect_progress(int fd, Readiness readiness) {
  using State = ConnectProgress::State;
  // A connect that failed always announces an error; without one there is nothing to ask for.
  if (!readiness.has_hangup()) {
    return {.state = readiness.is_writable() ? State::connected : State::under_way, .error = 0};
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) {
    // A lone hang-up says nothing: the socket may just not have begun, or, if it is a unix one,
    // have been closed by its peer already.
    const bool is_connected = readiness.is_writable() && (!readiness.is_hung_up() || has_peer(fd));
    return {.state = is_connected ? State::connected : State::under_way, .error = 0};
  }
  // A SYN that is turned away says ECONNREFUSED: a reset means that there was a connection, of a
  // server that took it and reset it before we looked, perhaps after saying why.
  const bool was_connected = classify_connect_error(error) == ConnectError::reset;
  return {.state = was_connected ? State::connected : State::failed, .error = error};
}

bool is_connected_to_itself(int fd, const Address& target) {
  if (!target.is_ip()) return false;
  // Not the target's address, which may be 0.0.0.0.
  const Address own = local_address(fd);
  return own.port() == target.port() && own == peer_address(fd);
}

}  // namespace sluice
