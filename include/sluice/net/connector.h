// Starting a connection and finding out how it went.
#pragma once

#include <optional>

#include "sluice/base/address.h"
#include "sluice/base/tcp_options.h"
#include "sluice/base/unique_fd.h"
#include "sluice/net/poller.h"

namespace sluice {

// What the kernel made of a connect. `error` is an errno, 0 when there is none.
struct ConnectStart {
  UniqueFd fd;
  int error = 0;
  // A unix socket's backlog is full: nothing is under way, call connect_again() after a while.
  bool is_backlog_full = false;
};

// Starts connecting a non-blocking socket to `target` (resolved), from `source` if given (its port
// is not used). Success means under way or done: wait for connect_progress() to say which.
ConnectStart start_connect(const Address& target, const std::optional<Address>& source,
                           const TcpOptions& options);

// Tries once more on a unix socket whose backlog was full. 0, EAGAIN (still full) or an errno.
int connect_again(int fd, const Address& target);

// The classes of failure that concern whoever connects, whatever the words of its layer.
enum class ConnectError : uint8_t { refused, timeout, unreachable, reset, local };
ConnectError classify_connect_error(int error);

// A verdict on a connection under way, given what the poller said.
struct ConnectProgress {
  enum class State : uint8_t { under_way, connected, failed };
  State state = State::under_way;
  int error = 0;  // when failed; when connected: a reset that came right after
};
ConnectProgress connect_progress(int fd, Readiness readiness);

// A connect to a port of one's own host on which nobody listens can meet itself (simultaneous open,
// RFC 9293 section 3.5): the kernel picks that very port as the source. Where the port is not one
// that it picks (LocalPorts) there is no need to ask.
bool is_connected_to_itself(int fd, const Address& target);

}  // namespace sluice
