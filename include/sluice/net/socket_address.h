// Between Address (a value for people and configuration) and sockaddr (what the kernel wants).
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sluice/base/address.h"
#include "sluice/base/ip_bytes.h"

namespace sluice {

class SocketAddress {
 public:
  // `address` is resolved: not of kind name.
  explicit SocketAddress(const Address& address);

  int family() const { return storage_.any.sa_family; }
  const sockaddr* data() const { return &storage_.any; }
  socklen_t size() const { return size_; }

 private:
  union Storage {
    sockaddr any;
    sockaddr_in ipv4;
    sockaddr_in6 ipv6;
    sockaddr_un unix_domain;
  };
  Storage storage_{};
  socklen_t size_ = 0;
};

// A client's address as accept() gives it, in the 28 bytes a session can afford: a unix client has
// none worth keeping.
class PeerAddress {
 public:
  sockaddr* data() { return reinterpret_cast<sockaddr*>(&storage_); }
  static constexpr socklen_t capacity() { return sizeof(sockaddr_in6); }

  bool is_unix() const { return storage_.sin6_family == AF_UNIX; }

  // Of an IPv4 client on an IPv6 socket (::ffff:10.0.0.1) the four bytes that it is known by.
  IpBytes ip_bytes() const;

  // As in logs: 10.0.0.1:1234, [::1]:1234, or `unix:`.
  std::string to_string() const;

 private:
  sockaddr_in6 storage_{};  // large enough for sockaddr_in too
};

// The address a socket is bound to (port 0 resolved), for a bound socket.
Address local_address(int fd);
// The address a socket is connected to.
Address peer_address(int fd);
Address to_address(const sockaddr* address, socklen_t size);

}  // namespace sluice
