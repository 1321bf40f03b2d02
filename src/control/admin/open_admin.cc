#include "open_admin.h"

#include <string>
#include <utility>

#include "sluice/net/socket_address.h"
#include "token_file.h"

namespace sluice {
namespace {

constexpr uint32_t kAdminBacklog = 128;

}  // namespace

Result<std::unique_ptr<AdminServer>> open_admin(AdminScope scope, Descriptors& descriptors,
                                                uint32_t connections_max,
                                                const AdminListening& on_listening) {
  const AdminConfig& config = scope.config.admin;
  if (!config.address) return nullptr;
  AdminServer::Options options{.connections_max = connections_max, .token_file = {}};
  if (const std::string& path = config.token_file; !path.empty()) {
    auto token_file = TokenFile::open(path, scope.loop.now());
    if (!token_file) {
      const Error& error = token_file.error();
      return failure("admin.token_file: " + error.message, error.system_error);
    }
    options.token_file = std::move(*token_file);
  }
  ListenOptions listen_options;
  listen_options.backlog = kAdminBacklog;
  auto sockets = descriptors.open_listener(*config.address, 1, listen_options);
  if (!sockets) return failure("admin: " + sockets.error().message, sockets.error().system_error);
  const Address address = local_address(sockets->front().get());
  ProcessLog& log = scope.log;
  auto opened =
      AdminServer::open(std::move(scope), std::move(sockets->front()), std::move(options));
  if (!opened) return failure("admin: " + opened.error().message, opened.error().system_error);
  log.admin_listening(address.to_string());
  if (on_listening) on_listening(address);
  return opened;
}

}  // namespace sluice
