#include "sluice/base/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

namespace sluice {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

template <typename Number>
std::optional<Number> parse_number(std::string_view digits) {
  Number value{};
  const char* end = digits.data() + digits.size();
  const auto [stop, problem] = std::from_chars(digits.data(), end, value);
  if (problem != std::errc{} || stop != end || digits.empty()) return std::nullopt;
  return value;
}

// RFC 1123 section 2.1: letters, digits, hyphens and dots; underscores are common in practice.
bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253 || text.front() == '.' || text.front() == '-') return false;
  const bool has_only_name_characters = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
  });
  // Digits and dots alone are a mistyped IPv4 address, never a name.
  const bool has_letter =
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return std::isalpha(c) != 0; });
  return has_only_name_characters && has_letter && text.find("..") == std::string_view::npos;
}

Result<Address> parse_unix(std::string_view text) {
  if (text.empty() || text == "@") {
    return failure("a unix address needs a path or @name, as in unix:/run/x.sock");
  }
  const bool is_abstract = text.front() == '@';
  const std::string_view name = is_abstract ? text.substr(1) : text;
  if (name.size() > Address::kUnixPathMax) {
    return failure(fmt::format("a unix socket's path is at most {} bytes long, this one has {}",
                               Address::kUnixPathMax, name.size()));
  }
  return is_abstract ? Address::unix_abstract(std::string(name))
                     : Address::unix_path(std::string(name));
}

Result<Address> parse_ipv6(std::string_view host, uint16_t port) {
  uint32_t scope_id = 0;
  if (const size_t percent = host.find('%'); percent != std::string_view::npos) {
    const auto scope = parse_number<uint32_t>(host.substr(percent + 1));
    if (!scope) return failure("the scope after % must be an interface's number");
    scope_id = *scope;
    host = host.substr(0, percent);
  }
  std::array<uint8_t, 16> bytes{};
  if (inet_pton(AF_INET6, std::string(host).c_str(), bytes.data()) != 1) {
    return failure(fmt::format("'{}' is not an IPv6 address", host));
  }
  return Address::ipv6(bytes, port, scope_id);
}

Result<uint16_t> parse_port(std::string_view text) {
  const auto port = parse_number<uint16_t>(text);
  if (!port)
    return failure(fmt::format("'{}' is not a port: write a number from 0 to 65535", text));
  return *port;
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  // inet_pton() and the kernel would stop reading there.
  if (text.find('\0') != std::string_view::npos) {
    return failure("an address cannot hold a NUL byte");
  }
  if (text.starts_with(kUnixPrefix)) return parse_unix(text.substr(kUnixPrefix.size()));
  if (text.starts_with('[')) {
    const size_t close = text.find("]:");
    if (close == std::string_view::npos) {
      return failure("an IPv6 address is written \"[::1]:80\", with quotes and a port");
    }
    const auto port = parse_port(text.substr(close + 2));
    if (!port) return tl::unexpected(port.error());
    return parse_ipv6(text.substr(1, close - 1), *port);
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return failure(fmt::format("'{}' has no port: write host:port", text));
  }
  const std::string_view host = text.substr(0, colon);
  if (host.find(':') != std::string_view::npos) {
    return failure(fmt::format("an IPv6 address needs brackets and quotes: \"[{}]:{}\"", host,
                               text.substr(colon + 1)));
  }
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return tl::unexpected(port.error());
  std::array<uint8_t, 4> bytes{};
  if (inet_pton(AF_INET, std::string(host).c_str(), bytes.data()) == 1) return ipv4(bytes, *port);
  if (host == "*") {
    return failure(fmt::format("'*' is not an address: write 0.0.0.0:{0} or \"[::]:{0}\"", *port));
  }
  if (!is_host_name(host)) {
    return failure(fmt::format("'{}' is neither an IP address nor a host name", host));
  }
  Address address;
  address.kind_ = Kind::name;
  address.text_ = host;
  address.port_ = *port;
  return address;
}

Address Address::ipv4(std::array<uint8_t, 4> bytes, uint16_t port) {
  Address address;
  address.kind_ = Kind::ipv4;
  std::copy(bytes.begin(), bytes.end(), address.bytes_.begin());
  address.port_ = port;
  return address;
}

Address Address::ipv6(std::array<uint8_t, 16> bytes, uint16_t port, uint32_t scope_id) {
  Address address;
  address.kind_ = Kind::ipv6;
  address.bytes_ = bytes;
  address.port_ = port;
  address.scope_id_ = scope_id;
  return address;
}

Address Address::unix_path(std::string path) {
  Address address;
  address.kind_ = Kind::unix_path;
  address.text_ = std::move(path);
  return address;
}

Address Address::unix_abstract(std::string name) {
  Address address;
  address.kind_ = Kind::unix_abstract;
  address.text_ = std::move(name);
  return address;
}

bool Address::is_loopback() const {
  constexpr std::array<uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  constexpr std::array<uint8_t, 16> kOne{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  constexpr uint8_t kNet = 127;
  if (kind_ == Kind::ipv4) return bytes_[0] == kNet;
  if (kind_ != Kind::ipv6) return false;
  const bool is_mapped = std::equal(kMapped.begin(), kMapped.end(), bytes_.begin());
  return bytes_ == kOne || (is_mapped && bytes_[kMapped.size()] == kNet);
}

Address Address::with_port(uint16_t port) const {
  Address address = *this;
  address.port_ = port;
  return address;
}

std::string Address::host_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  switch (kind_) {
    case Kind::ipv4:
      return fmt::format("{}.{}.{}.{}", bytes_[0], bytes_[1], bytes_[2], bytes_[3]);
    case Kind::ipv6:
      inet_ntop(AF_INET6, bytes_.data(), text.data(), text.size());
      return scope_id_ == 0 ? std::string(text.data())
                            : fmt::format("{}%{}", text.data(), scope_id_);
    case Kind::unix_path:
      return fmt::format("{}{}", kUnixPrefix, text_);
    case Kind::unix_abstract:
      return fmt::format("{}@{}", kUnixPrefix, text_);
    case Kind::name:
      return text_;
  }
  return {};
}

std::string Address::to_string() const {
  if (is_unix()) return host_string();
  return kind_ == Kind::ipv6 ? fmt::format("[{}]:{}", host_string(), port_)
                             : fmt::format("{}:{}", host_string(), port_);
}

}  // namespace sluice
