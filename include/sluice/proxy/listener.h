// A listener: where clients connect, shared by all workers, immutable but for what is counted of
// its sessions.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "sluice/config/config.h"
#include "sluice/core/per_worker.h"
#include "sluice/proxy/connection_limit.h"
#include "sluice/proxy/listener_tally.h"

namespace sluice {

class Listener {
 public:
  // That many `workers` count what they do for it.
  explicit Listener(ListenerConfig config, size_t workers = 1)
      : config_(std::move(config)),
        limit_(config_.max_connections.value_or(ConnectionLimit::kUnlimited)),
        tallies_(workers) {}

  const ListenerConfig& config() const { return config_; }
  ConnectionLimit& limit() { return limit_; }

  // Written by that worker only.
  ListenerTally& tally(size_t worker) { return tallies_.of(worker); }
  // Any thread.
  ListenerTotals totals() const { return add_up(tallies_); }

 private:
  const ListenerConfig config_;
  ConnectionLimit limit_;
  PerWorker<ListenerTally> tallies_;
};

// A listener with the addresses that its sockets really have.
struct OpenListener {
  std::shared_ptr<Listener> listener;
  std::vector<Address> addresses;
};

}  // namespace sluice
