#include "sluice/net/listener_socket.h"

#include <fmt/format.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "sluice/net/socket_address.h"
#include "sluice/net/socket_options.h"

namespace sluice {
namespace {

std::string advice_for(const Address& address, int error) {
  switch (error) {
    case EADDRINUSE:
      return address.is_unix()
                 ? "; another process listens there: stop it, or choose another path"
                 : fmt::format("; see who has it with: ss -ltnp 'sport = :{}'", address.port());
    case EACCES:
    case EPERM:
      return address.is_unix()
                 ? "; give this user write access to the directory"
                 : "; ports below net.ipv4.ip_unprivileged_port_start need CAP_NET_BIND_SERVICE: "
                   "run as root, under the supplied systemd unit, or choose a port above 1023";
    case EADDRNOTAVAIL:
      return "; no interface of this host has that address";
    case ENOENT:
    case ENOTDIR:
      return "; the directory does not exist";
    case EMFILE:
    case ENFILE:
      return "; raise the limit of open files (ulimit -n, LimitNOFILE)";
    default:
      return "";
  }
}

tl::unexpected<Error> cannot_listen(const Address& address, int error) {
  return failure(fmt::format("cannot listen on {}: {}{}", address.to_string(), std::strerror(error),
                             advice_for(address, error)),
                 error);
}

enum class Sharing : uint8_t { alone, with_our_own };

Result<UniqueFd> bind_socket(const Address& address, Sharing sharing) {
  const SocketAddress where(address);
  UniqueFd fd(::socket(where.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return cannot_listen(address, errno);
  const int yes = 1;
  if (address.is_ip()) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address.kind() == Address::Kind::ipv6) {
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  }
  if (sharing == Sharing::with_our_own) {
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
  }
  if (::bind(fd.get(), where.data(), where.size()) != 0) return cannot_listen(address, errno);
  return fd;
}

Result<void> start_listening(const UniqueFd& fd, const Address& address, uint32_t backlog) {
  if (::listen(fd.get(), static_cast<int>(backlog)) != 0) return cannot_listen(address, errno);
  return {};
}

Result<std::vector<UniqueFd>> open_tcp(const Address& address, size_t count,
                                       const ListenOptions& options) {
  // With SO_REUSEPORT alone we would quietly share the port with another process of the same user;
  // binding and listening once without it shows whether anybody is there.
  {
    const auto alone = bind_socket(address, Sharing::alone);
    if (!alone) return tl::unexpected(alone.error());
    if (const auto listening = start_listening(*alone, address, 1); !listening) {
      return tl::unexpected(listening.error());
    }
  }
  std::vector<UniqueFd> sockets;
  Address where = address;
  for (size_t i = 0; i < count; ++i) {
    auto fd = bind_socket(where, Sharing::with_our_own);
    if (!fd) return tl::unexpected(fd.error());
    set_listener_options(fd->get(), options.tcp);
    if (where.port() == 0) where = local_address(fd->get());
    sockets.push_back(std::move(*fd));
  }
  for (const UniqueFd& fd : sockets) {
    if (const auto listening = start_listening(fd, where, options.backlog); !listening) {
      return tl::unexpected(listening.error());
    }
  }
  return sockets;
}

// Only a refusal says that nobody is there: a full backlog (EAGAIN), a socket of another type
// (EPROTOTYPE) and one that is not for us (EACCES) are somebody's.
bool is_refused(const Address& address) {
  const SocketAddress where(address);
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return fd && ::connect(fd.get(), where.data(), where.size()) != 0 && errno == ECONNREFUSED;
}

bool is_stale_socket_file(const Address& address) {
  struct stat status {};
  return address.kind() == Address::Kind::unix_path &&
         ::lstat(address.text().c_str(), &status) == 0 && S_ISSOCK(status.st_mode) &&
         is_refused(address);
}

std::optional<uint32_t> as_number(const std::string& text) {
  uint32_t value = 0;
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<uid_t> find_user(const std::string& user) {
  if (const auto number = as_number(user)) return *number;
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return failure(fmt::format("there is no user '{}' on this host", user));
  return found->pw_uid;
}

Result<gid_t> find_group(const std::string& group_name) {
  if (const auto number = as_number(group_name)) return *number;
  std::array<char, 4096> buffer{};
  group entry{};
  group* found = nullptr;
  ::getgrnam_r(group_name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr)
    return failure(fmt::format("there is no group '{}' on this host", group_name));
  return found->gr_gid;
}

Result<void> set_file_rights(const Address& address, const ListenOptions& options) {
  constexpr auto kUnchanged = static_cast<uid_t>(-1);
  uid_t owner = kUnchanged;
  gid_t group = kUnchanged;
  if (!options.unix_owner.empty()) {
    const auto found = find_user(options.unix_owner);
    if (!found) return tl::unexpected(found.error());
    owner = *found;
  }
  if (!options.unix_group.empty()) {
    const auto found = find_group(options.unix_group);
    if (!found) return tl::unexpected(found.error());
    group = *found;
  }
  const char* path = address.text().c_str();
  if (::chown(path, owner, group) == 0 && ::chmod(path, options.unix_mode) == 0) return {};
  return failure(
      fmt::format("cannot set owner and mode of {}: {}", address.to_string(), std::strerror(errno)),
      errno);
}

Result<std::vector<UniqueFd>> open_unix(const Address& address, const ListenOptions& options) {
  auto fd = bind_socket(address, Sharing::alone);
  if (!fd && fd.error().system_error == EADDRINUSE && is_stale_socket_file(address)) {
    ::unlink(address.text().c_str());
    fd = bind_socket(address, Sharing::alone);
  }
  if (!fd) return tl::unexpected(fd.error());
  if (address.kind() == Address::Kind::unix_path) {
    if (const auto done = set_file_rights(address, options); !done) {
      ::unlink(address.text().c_str());
      return tl::unexpected(done.error());
    }
  }
  if (const auto listening = start_listening(*fd, address, options.backlog); !listening) {
    return tl::unexpected(listening.error());
  }
  std::vector<UniqueFd> sockets;
  sockets.push_back(std::move(*fd));
  return sockets;
}

}  // namespace

Result<std::vector<UniqueFd>> open_listener(const Address& address, size_t count,
                                            const ListenOptions& options) {
  return address.is_unix() ? open_unix(address, options) : open_tcp(address, count, options);
}

}  // namespace sluice
