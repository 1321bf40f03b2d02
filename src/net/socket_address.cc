#include "sluice/net/socket_address.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace sluice {
namespace {

sockaddr_in to_ipv4(const Address& address) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(address.port());
  std::memcpy(&result.sin_addr, address.bytes().data(), sizeof result.sin_addr);
  return result;
}

sockaddr_in6 to_ipv6(const Address& address) {
  sockaddr_in6 result{};
  result.sin6_family = AF_INET6;
  result.sin6_port = htons(address.port());
  result.sin6_scope_id = address.scope_id();
  std::memcpy(&result.sin6_addr, address.bytes().data(), sizeof result.sin6_addr);
  return result;
}

// unix(7): an abstract name starts after a NUL and is as long as the size says.
size_t fill_unix(sockaddr_un& result, const Address& address) {
  result = {};  // a union's {} clears its first member only, and a path's terminator counts
  result.sun_family = AF_UNIX;
  const bool is_abstract = address.kind() == Address::Kind::unix_abstract;
  const std::string& text = address.text();
  const size_t length = std::min(text.size(), sizeof result.sun_path - 1);
  std::memcpy(result.sun_path + (is_abstract ? 1 : 0), text.data(), length);
  return offsetof(sockaddr_un, sun_path) + 1 + length;
}

}  // namespace

SocketAddress::SocketAddress(const Address& address) {
  switch (address.kind()) {
    case Address::Kind::ipv4:
      storage_.ipv4 = to_ipv4(address);
      size_ = sizeof storage_.ipv4;
      return;
    case Address::Kind::ipv6:
      storage_.ipv6 = to_ipv6(address);
      size_ = sizeof storage_.ipv6;
      return;
    case Address::Kind::unix_path:
    case Address::Kind::unix_abstract:
      size_ = static_cast<socklen_t>(fill_unix(storage_.unix_domain, address));
      return;
    case Address::Kind::name:
      storage_.any.sa_family = AF_UNSPEC;
      return;
  }
}

IpBytes PeerAddress::ip_bytes() const {
  IpBytes ip;
  if (storage_.sin6_family == AF_INET) {
    ip.size = sizeof(in_addr);
    std::memcpy(ip.bytes.data(), &reinterpret_cast<const sockaddr_in&>(storage_).sin_addr, ip.size);
  } else if (storage_.sin6_family == AF_INET6) {
    const in6_addr& address = storage_.sin6_addr;
    const size_t skipped = IN6_IS_ADDR_V4MAPPED(&address) ? 12 : 0;
    ip.size = static_cast<uint8_t>(sizeof address - skipped);
    std::memcpy(ip.bytes.data(), &address.s6_addr[skipped], ip.size);
  }
  return ip;
}

std::string PeerAddress::to_string() const {
  if (is_unix()) return "unix:";
  return to_address(reinterpret_cast<const sockaddr*>(&storage_), sizeof storage_).to_string();
}

Address to_address(const sockaddr* address, socklen_t size) {
  if (address->sa_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, address, sizeof ipv4);
    std::array<uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &ipv4.sin_addr, bytes.size());
    return Address::ipv4(bytes, ntohs(ipv4.sin_port));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, address, sizeof ipv6);
    std::array<uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &ipv6.sin6_addr, bytes.size());
    return Address::ipv6(bytes, ntohs(ipv6.sin6_port), ipv6.sin6_scope_id);
  }
  sockaddr_un unix_domain{};
  std::memcpy(&unix_domain, address, std::min<size_t>(size, sizeof unix_domain));
  constexpr size_t kPathStart = offsetof(sockaddr_un, sun_path);
  const size_t length = size > kPathStart ? size - kPathStart : 0;
  if (length > 0 && unix_domain.sun_path[0] == '\0') {
    return Address::unix_abstract(std::string(unix_domain.sun_path + 1, length - 1));
  }
  return Address::unix_path(
      std::string(unix_domain.sun_path, ::strnlen(unix_domain.sun_path, length)));
}

Address local_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return to_address(reinterpret_cast<const sockaddr*>(&storage), size);
}

Address peer_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return to_address(reinterpret_cast<const sockaddr*>(&storage), size);
}

}  // namespace sluice
