// The socket options behind TcpOptions. A kernel that refuses one of them is no reason to refuse a
// connection, so nothing here fails.
#pragma once

#include "sluice/base/tcp_options.h"

namespace sluice {

// Everything a listening socket needs so that what it accepts is born with it: Linux copies these
// options to accepted sockets, which saves the system calls per connection.
void set_listener_options(int fd, const TcpOptions& options);

// What a socket to a backend needs before its first byte. `nodelay` is not among it: see
// Endpoint::is_nodelay_due.
void set_connect_options(int fd, const TcpOptions& options);

// Small segments go at once, whatever is unacknowledged before them (TCP_NODELAY).
void set_nodelay(int fd);

// Keepalive matters to connections that last; set once one has, it costs short ones nothing.
void set_keepalive(int fd, const KeepaliveOptions& options);

// close() will send a reset instead of a FIN and drop what is unsent.
void reset_on_close(int fd);

}  // namespace sluice
