// A listener: where clients connect, shared by all workers, immutable but for its count of
// sessions.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "sluice/config/config.h"
#include "sluice/proxy/connection_limit.h"

namespace sluice {

class Listener {
 public:
  explicit Listener(ListenerConfig config)
      : config_(std::move(config)),
        limit_(config_.max_connections.value_or(ConnectionLimit::kUnlimited)) {}

  const ListenerConfig& config() const { return config_; }
  ConnectionLimit& limit() { return limit_; }

 private:
  const ListenerConfig config_;
  ConnectionLimit limit_;
};

// A listener with the addresses that its sockets really have.
struct OpenListener {
  std::shared_ptr<Listener> listener;
  std::vector<Address> addresses;
};

}  // namespace sluice
