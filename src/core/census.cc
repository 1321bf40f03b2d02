#include "sluice/core/census.h"

namespace sluice {

std::shared_ptr<const std::atomic<bool>> Census::panic_flag(uint32_t priority) {
  return levels_[priority].in_panic;
}

void Census::take(const ClusterSnapshot& snapshot) {
  entries_.clear();
  healthy_ = 0;
  for (auto& [priority, level] : levels_) level.ready = level.usable = 0;
  for (const PriorityLevel& level : snapshot.levels) {
    for (const auto& backend : level.backends) {
      const Entry entry = assess(*backend, &levels_[level.priority]);
      if (entries_.emplace(backend.get(), entry).second) add(entry);
    }
  }
}

void Census::update(const Backend& backend) {
  const auto found = entries_.find(&backend);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  subtract(entry);
  entry = assess(backend, entry.level);
  add(entry);
}

std::vector<PanicChange> Census::judge_panic(double panic_threshold) {
  std::vector<PanicChange> changes;
  for (auto& [priority, level] : levels_) {
    // usable / ready below threshold / 100, without dividing by zero.
    const bool is_panic = level.usable * 100.0 < panic_threshold * level.ready;
    if (level.in_panic->exchange(is_panic, std::memory_order_relaxed) == is_panic) continue;
    changes.push_back({priority, is_panic, level.usable, level.ready});
  }
  return changes;
}

Census::Entry Census::assess(const Backend& backend, Level* level) {
  const bool is_ready = backend.admin_state() == AdminState::ready;
  return {.level = level,
          .is_ready = is_ready,
          .is_usable = is_ready && backend.health() != Health::unhealthy,
          .is_healthy = is_ready && backend.health() == Health::healthy};
}

void Census::add(const Entry& entry) {
  entry.level->ready += entry.is_ready;
  entry.level->usable += entry.is_usable;
  healthy_ += entry.is_healthy;
}

void Census::subtract(const Entry& entry) {
  entry.level->ready -= entry.is_ready;
  entry.level->usable -= entry.is_usable;
  healthy_ -= entry.is_healthy;
}

}  // namespace sluice
