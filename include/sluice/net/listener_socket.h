// Opening listening sockets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sluice/base/address.h"
#include "sluice/base/result.h"
#include "sluice/base/tcp_options.h"
#include "sluice/base/unique_fd.h"

namespace sluice {

struct ListenOptions {
  uint32_t backlog = 4096;  // the kernel clamps it to net.core.somaxconn
  TcpOptions tcp;
  uint32_t unix_mode = 0660;
  std::string unix_owner;  // name or number; empty: as created
  std::string unix_group;
};

// The sockets of one address, listening. For IP `count` of them with SO_REUSEPORT, among which the
// kernel spreads connections: one set, made together, and to be kept open together, because closing
// one resets the clients queued on it. For a unix path or name always one, to be shared.
// An address that somebody else listens on is an error even if that one uses SO_REUSEPORT too; a
// unix socket file on which nobody answers is replaced.
Result<std::vector<UniqueFd>> open_listener(const Address& address, size_t count,
                                            const ListenOptions& options);

}  // namespace sluice
