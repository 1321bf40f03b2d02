// How many sessions there may be at a time, over all workers: of the whole process, or of one
// listener. Lock-free, any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

namespace sluice {

class ConnectionLimit {
 public:
  static constexpr uint32_t kUnlimited = std::numeric_limits<uint32_t>::max();

  explicit ConnectionLimit(uint32_t connections_max) : connections_max_(connections_max) {}

  // Takes a place, if there is one.
  bool try_acquire() {
    if (active_.fetch_add(1, std::memory_order_relaxed) < connections_max_) return true;
    release();
    return false;
  }
  void release() { active_.fetch_sub(1, std::memory_order_relaxed); }

  uint32_t active() const { return active_.load(std::memory_order_relaxed); }

 private:
  const uint32_t connections_max_;
  alignas(64) std::atomic<uint32_t> active_{0};
};

}  // namespace sluice
