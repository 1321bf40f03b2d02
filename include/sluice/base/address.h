// Where a socket is: IPv4 or IPv6 with a port, a unix socket's path or abstract name, or a host
// name with a port that somebody has still to resolve. A plain value; net turns it into a sockaddr.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/base/result.h"

namespace sluice {

class Address {
 public:
  enum class Kind : uint8_t { ipv4, ipv6, unix_path, unix_abstract, name };

  // Longest path or abstract name the kernel takes (sun_path without its terminator).
  static constexpr size_t kUnixPathMax = 107;

  // Reads `10.0.0.1:80`, `[::1]:80`, `[fe80::1%2]:80` (numeric scope), `host.example:80`,
  // `unix:/run/x.sock`, `unix:@abstract`. The error says what is wrong and what to write instead.
  static Result<Address> parse(std::string_view text);

  static Address ipv4(std::array<uint8_t, 4> bytes, uint16_t port);
  static Address ipv6(std::array<uint8_t, 16> bytes, uint16_t port, uint32_t scope_id = 0);
  static Address unix_path(std::string path);
  static Address unix_abstract(std::string name);

  Kind kind() const { return kind_; }
  bool is_ip() const { return kind_ == Kind::ipv4 || kind_ == Kind::ipv6; }
  bool is_unix() const { return kind_ == Kind::unix_path || kind_ == Kind::unix_abstract; }
  bool is_name() const { return kind_ == Kind::name; }
  // 127.0.0.0/8, ::1, and the former as an IPv6 address; nobody but this host has it.
  bool is_loopback() const;

  // Network order; the first four for IPv4. Zero for the other kinds.
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }
  uint16_t port() const { return port_; }
  uint32_t scope_id() const { return scope_id_; }
  // The path, abstract name (without `@`) or host name.
  const std::string& text() const { return text_; }

  Address with_port(uint16_t port) const;

  // As parse() reads it.
  std::string to_string() const;

  // The address without its port, an IPv6 one without brackets: what a name resolved to.
  std::string host_string() const;

  friend bool operator==(const Address&, const Address&) = default;

 private:
  Kind kind_ = Kind::ipv4;
  std::array<uint8_t, 16> bytes_{};
  uint16_t port_ = 0;
  uint32_t scope_id_ = 0;
  std::string text_;
};

}  // namespace sluice
