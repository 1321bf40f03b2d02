// The cluster's books: how many backends of each priority are ready, and how many of those are
// healthy or usable; from them, which priority is in panic and which share of the clients it gets.
// Kept up to date change by change, because at a start 10,000 backends turn healthy one after
// another. Control loop only, but for the panic flags and the shares, which the workers read.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "sluice/core/backend.h"
#include "sluice/core/cluster_snapshot.h"

namespace sluice {

struct PanicChange {
  uint32_t priority;
  bool is_panic;
  uint32_t usable;  // healthy or unknown, of the ready ones
  uint32_t ready;
};

class Census {
 public:
  // The flag of a priority, the same one for as long as the cluster lives.
  std::shared_ptr<const std::atomic<bool>> panic_flag(uint32_t priority);
  // The same for its share of the clients and that of the levels before it.
  std::shared_ptr<const std::atomic<uint32_t>> share_up_to(uint32_t priority);

  // Counts everything anew.
  void take(const ClusterSnapshot& snapshot);

  // A backend changed its administrative state, weight or health; one that is not in the snapshot
  // is ignored.
  void update(const Backend& backend);

  // It was told of a backend's breaker that it is closed now, or that it is not. A later change may
  // be under way already: the breaker itself is asked, unless it is in the middle of one.
  void update_breaker(const Backend& backend, bool is_told_closed);

  // Backends that take ordinary connections, as far as health (or panic) and breakers go: as
  // Cluster::is_usable() decides. Who came later and waits for its first probe is none of them, but
  // weakens neither its level's share nor brings panic nearer.
  uint32_t available() const;

  // Ready backends that are healthy.
  uint32_t healthy() const { return healthy_; }

  // Sets the flags by what was counted and returns those that changed. `panic_threshold` in
  // percent; 0 is off.
  std::vector<PanicChange> judge_panic(double panic_threshold);

  // Sets the shares by what was counted and by the panic flags. `overprovisioning` in percent.
  void publish_shares(double overprovisioning);

 private:
  struct Level {
    std::shared_ptr<std::atomic<bool>> in_panic = std::make_shared<std::atomic<bool>>(false);
    std::shared_ptr<std::atomic<uint32_t>> share_up_to =
        std::make_shared<std::atomic<uint32_t>>(kWholeShare);
    uint32_t total = 0;
    uint32_t ready = 0;
    uint32_t usable = 0;
    uint32_t willing = 0;
    uint32_t available = 0;
    uint32_t waiting = 0;
  };
  // How a backend was counted.
  struct Entry {
    Level* level;
    bool is_counted = false;  // with weight 0 it is no part of its level
    bool is_ready = false;
    bool is_usable = false;
    bool is_healthy = false;
    bool is_closed = true;      // its breaker
    bool is_willing = false;    // takes ordinary connections in panic: ready, closed and of weight
    bool is_available = false;  // and at other times
    bool is_waiting = false;    // but not yet, while another one is healthy: see Arrival
  };

  void assess(const Backend& backend, Entry& entry) const;
  void add(const Entry& entry);
  void subtract(const Entry& entry);

  std::map<uint32_t, Level> levels_;  // never shrinks: older snapshots read the flags
  std::unordered_map<const Backend*, Entry> entries_;
  uint32_t healthy_ = 0;
  bool has_breakers_ = true;
  bool has_probes_ = true;
};

}  // namespace sluice
