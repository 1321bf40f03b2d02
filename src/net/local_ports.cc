#include "sluice/net/local_ports.h"

#include <fstream>
#include <limits>

namespace sluice {

bool LocalPorts::may_be_picked(uint16_t port, TimePoint now) {
  if (now >= looks_again_at_) {
    look();
    looks_again_at_ = now + kLookInterval;
  }
  return first_ <= port && port <= last_;
}

void LocalPorts::look() {
  std::ifstream file(file_);
  if (file >> first_ >> last_) return;
  first_ = 0;
  last_ = std::numeric_limits<uint16_t>::max();
}

}  // namespace sluice
