#include "sluice/core/census.h"

#include "sluice/core/spillover.h"

namespace sluice {

std::shared_ptr<const std::atomic<bool>> Census::panic_flag(uint32_t priority) {
  return levels_[priority].in_panic;
}

std::shared_ptr<const std::atomic<uint32_t>> Census::share_up_to(uint32_t priority) {
  return levels_[priority].share_up_to;
}

void Census::take(const ClusterSnapshot& snapshot) {
  entries_.clear();
  healthy_ = 0;
  has_breakers_ = snapshot.settings.circuit_breaker.is_enabled;
  has_probes_ = snapshot.settings.has_probes;
  for (auto& [priority, level] : levels_) {
    level.total = level.ready = level.usable = level.willing = level.available = level.waiting = 0;
  }
  for (const PriorityLevel& level : snapshot.levels) {
    for (const auto& backend : level.backends) {
      Entry entry{.level = &levels_[level.priority]};
      entry.is_closed = backend->breaker().is_closed().value_or(true);
      assess(*backend, entry);
      if (entries_.emplace(backend.get(), entry).second) add(entry);
    }
  }
}

void Census::update(const Backend& backend) {
  const auto found = entries_.find(&backend);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  subtract(entry);
  assess(backend, entry);
  add(entry);
}

void Census::update_breaker(const Backend& backend, bool is_told_closed) {
  const auto found = entries_.find(&backend);
  if (found == entries_.end()) return;
  found->second.is_closed = backend.breaker().is_closed().value_or(is_told_closed);
  update(backend);
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

void Census::publish_shares(double overprovisioning) {
  std::vector<LevelStrength> strengths;
  for (const auto& [priority, level] : levels_) {
    const bool is_panic = level.in_panic->load(std::memory_order_relaxed);
    strengths.push_back(
        {.available = is_panic ? level.willing : level.available, .total = level.total});
  }
  const std::vector<uint32_t> shares = sluice::shares_up_to(strengths, overprovisioning);
  size_t index = 0;
  for (auto& [priority, level] : levels_) {
    const uint32_t share = shares[index++];
    // Written only when it changes, so that it stays in every worker's cache.
    if (level.share_up_to->load(std::memory_order_relaxed) == share) continue;
    level.share_up_to->store(share, std::memory_order_relaxed);
  }
}

uint32_t Census::available() const {
  uint32_t sum = 0;
  for (const auto& [priority, level] : levels_) {
    const uint32_t waiting = healthy_ > 0 ? level.waiting : 0;
    const bool is_panic = level.in_panic->load(std::memory_order_relaxed);
    sum += is_panic ? level.willing : level.available - waiting;
  }
  return sum;
}

void Census::assess(const Backend& backend, Entry& entry) const {
  entry.is_counted = backend.weight() > 0;
  entry.is_ready = backend.admin_state() == AdminState::ready;
  entry.is_usable = entry.is_ready && backend.health() != Health::unhealthy;
  entry.is_healthy = entry.is_ready && backend.health() == Health::healthy;
  const bool is_let_through = entry.is_closed || !has_breakers_;
  entry.is_willing = entry.is_ready && is_let_through && entry.is_counted;
  entry.is_available = entry.is_willing && entry.is_usable;
  entry.is_waiting = entry.is_available && has_probes_ && backend.health() == Health::unknown &&
                     backend.arrival() == Arrival::later;
}

void Census::add(const Entry& entry) {
  entry.level->total += entry.is_counted;
  entry.level->willing += entry.is_willing;
  entry.level->available += entry.is_available;
  entry.level->waiting += entry.is_waiting;
  entry.level->ready += entry.is_ready;
  entry.level->usable += entry.is_usable;
  healthy_ += entry.is_healthy;
}

void Census::subtract(const Entry& entry) {
  entry.level->total -= entry.is_counted;
  entry.level->willing -= entry.is_willing;
  entry.level->available -= entry.is_available;
  entry.level->waiting -= entry.is_waiting;
  entry.level->ready -= entry.is_ready;
  entry.level->usable -= entry.is_usable;
  healthy_ -= entry.is_healthy;
}

}  // namespace sluice
