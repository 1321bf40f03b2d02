// An IP address without a port, as bytes in network order. A plain value.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace sluice {

struct IpBytes {
  std::array<uint8_t, 16> bytes{};
  uint8_t size = 0;  // 4, 16, or 0: a client without an address (on a unix socket)

  bool is_none() const { return size == 0; }
  std::span<const uint8_t> view() const { return std::span(bytes).first(size); }

  friend bool operator==(const IpBytes&, const IpBytes&) = default;
};

}  // namespace sluice
