// The cluster's books: how many backends of each priority are ready, and how many of those are
// healthy or usable; from them, which priority is in panic. Kept up to date change by change,
// because at a start 10,000 backends turn healthy one after another. Control loop only, but for the
// panic flags, which the workers read.
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

  // Counts everything anew.
  void take(const ClusterSnapshot& snapshot);

  // A backend changed its administrative state or health; one that is not in the snapshot is
  // ignored.
  void update(const Backend& backend);

  // Ready backends that are healthy.
  uint32_t healthy() const { return healthy_; }

  // Sets the flags by what was counted and returns those that changed. `panic_threshold` in
  // percent; 0 is off.
  std::vector<PanicChange> judge_panic(double panic_threshold);

 private:
  struct Level {
    std::shared_ptr<std::atomic<bool>> in_panic = std::make_shared<std::atomic<bool>>(false);
    uint32_t ready = 0;
    uint32_t usable = 0;
  };
  // How a backend was counted.
  struct Entry {
    Level* level;
    bool is_ready = false;
    bool is_usable = false;
    bool is_healthy = false;
  };

  static Entry assess(const Backend& backend, Level* level);
  void add(const Entry& entry);
  void subtract(const Entry& entry);

  std::map<uint32_t, Level> levels_;  // never shrinks: older snapshots read the flags
  std::unordered_map<const Backend*, Entry> entries_;
  uint32_t healthy_ = 0;
};

}  // namespace sluice
