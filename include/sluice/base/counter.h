// Numbers that one thread writes and any thread reads. Adding is a load and a store, never a locked
// instruction, so counting costs a worker next to nothing; what others read is never torn, and at
// most a moment old. Whoever has several writers gives each a number of its own and adds them up
// (core/per_worker.h).
#pragma once

#include <atomic>
#include <cstdint>

namespace sluice {

// Only grows.
class Counter {
 public:
  void add(uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Goes up and down.
class Gauge {
 public:
  void set(uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace sluice
