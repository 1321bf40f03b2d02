// The one seam through which the server gets its privileged descriptors: listening sockets and log
// files. Today it opens them itself; a small parent process that keeps the rights and hands them to
// an unprivileged child fits behind the same three calls.
#pragma once

#include <string>
#include <vector>

#include "sluice/base/address.h"
#include "sluice/base/result.h"
#include "sluice/base/unique_fd.h"
#include "sluice/net/listener_socket.h"

namespace sluice {

// Puts something in the place of a standard descriptor that is closed, before a socket takes its
// number: what is then written to stdout fails, what is written to stderr is nobody's.
void fill_standard_descriptors();

class Descriptors {
 public:
  // See open_listener() in net/listener_socket.h.
  Result<std::vector<UniqueFd>> open_listener(const Address& address, size_t count,
                                              const ListenOptions& options);

  // For appending, created with mode 0640 if need be. What leads to a standard stream is that one,
  // and not opened again.
  Result<UniqueFd> open_log(const std::string& path);

  // Removes the socket files that open_listener() made.
  void remove_socket_files();

 private:
  std::vector<std::string> socket_files_;
};

// Whether this path of a log leads to stdout or stderr: by name, or because it is a link to what
// they are, other than a file (a container's /var/log/access.log -> /dev/stdout). A socket cannot
// be opened by its name, and neither can another user's pipe or terminal.
bool leads_to_standard_stream(const std::string& path);

// A whole file, at most `bytes_max` of it; more is an error.
Result<std::string> read_file(const std::string& path, size_t bytes_max);

}  // namespace sluice
