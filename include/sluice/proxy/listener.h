// A listener: where clients connect, shared by all workers, immutable but for its count of
// sessions.
#pragma once

#include <utility>

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

}  // namespace sluice
