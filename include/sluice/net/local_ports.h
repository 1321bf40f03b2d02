// The ports the kernel picks for outgoing connections (ip(7), ip_local_port_range): only a connect
// to one of them can meet itself, so only there it is worth a system call per connection to look.
#pragma once

#include <cstdint>
#include <string>

#include "sluice/base/time.h"

namespace sluice {

class LocalPorts {
 public:
  // `file` is replaced by tests.
  explicit LocalPorts(std::string file = "/proc/sys/net/ipv4/ip_local_port_range")
      : file_(std::move(file)) {}

  // The range can be changed while we run, so it is read again after kLookInterval. Every port may
  // be picked when it cannot be read.
  bool may_be_picked(uint16_t port, TimePoint now);

  static constexpr Duration kLookInterval = std::chrono::minutes(1);

 private:
  void look();

  std::string file_;
  uint32_t first_ = 0;
  uint32_t last_ = 0;
  TimePoint looks_again_at_{};
};

}  // namespace sluice
