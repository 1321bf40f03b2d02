#include "listening_sockets.h"

#include <fmt/format.h>

#include <utility>

#include "sluice/control/machine_limits.h"

namespace sluice {
namespace {

ListenOptions to_listen_options(const ListenerConfig& config) {
  return {.backlog = config.backlog,
          .tcp = config.tcp,
          .unix_mode = config.unix_socket.mode,
          .unix_owner = config.unix_socket.owner,
          .unix_group = config.unix_socket.group};
}

void warn_of_backlog(const ListenerConfig& config, ProcessLog& log) {
  if (config.backlog <= listen_backlog_max()) return;
  log.warning("backlog", fmt::format("listener {} asks for a backlog of {}; the kernel "
                                     "allows {} (net.core.somaxconn)",
                                     config.name, config.backlog, listen_backlog_max()));
}

}  // namespace

Result<std::vector<ListeningSockets>> open_listeners(const std::vector<ListenerConfig>& listeners,
                                                     uint32_t workers, Descriptors& descriptors,
                                                     ProcessLog& log) {
  std::vector<ListeningSockets> sockets;
  for (const ListenerConfig& config : listeners) {
    const auto listener = std::make_shared<Listener>(config, workers);
    warn_of_backlog(config, log);
    for (const Address& address : config.addresses) {
      auto fds = descriptors.open_listener(address, workers, to_listen_options(config));
      if (!fds) {
        return failure(fmt::format("listener {}: {}", config.name, fds.error().message),
                       fds.error().system_error);
      }
      ListeningSockets opened{.listener = listener, .fds = {}};
      for (UniqueFd& fd : *fds) opened.fds.push_back(std::make_shared<UniqueFd>(std::move(fd)));
      sockets.push_back(std::move(opened));
    }
  }
  return sockets;
}

}  // namespace sluice
