#include "sluice/core/outlier_detector.h"

#include <limits>

namespace sluice {
namespace {

struct Row {
  uint32_t generation;
  uint32_t failures;

  static Row unpack(uint64_t word) {
    return {static_cast<uint32_t>(word >> 32U), static_cast<uint32_t>(word)};
  }
  uint64_t pack() const { return uint64_t{generation} << 32U | failures; }
};

// Serial number arithmetic (RFC 1982), because generations wrap.
bool is_older(uint32_t generation, uint32_t than) {
  return static_cast<int32_t>(generation - than) < 0;
}

}  // namespace

std::optional<Ejection> OutlierDetector::record(const Permit& permit, ConnectOutcome outcome,
                                                uint32_t failure_threshold) {
  const bool is_failure = is_backend_failure(outcome);
  if (!is_failure && outcome != ConnectOutcome::connected) return std::nullopt;

  uint64_t seen = generation_and_count_.load(std::memory_order_relaxed);
  // A lost swap means that another thread's was won, so this ends.
  while (true) {
    const Row row = Row::unpack(seen);
    if (is_older(permit.generation, row.generation)) return std::nullopt;
    Row next{permit.generation, 0};
    if (is_failure) {
      const uint32_t before = row.generation == permit.generation ? row.failures : 0;
      next.failures = before == std::numeric_limits<uint32_t>::max() ? before : before + 1;
    }
    // The usual case, a success after a success, writes nothing: the word stays in every cache.
    const bool is_written =
        next.pack() == seen ||
        generation_and_count_.compare_exchange_weak(seen, next.pack(), std::memory_order_relaxed);
    if (!is_written) continue;
    if (!is_failure || next.failures < failure_threshold) return std::nullopt;
    return Ejection{next.generation, next.failures};
  }
}

void OutlierDetector::begin_generation(uint32_t generation) {
  generation_and_count_.store(Row{generation, 0}.pack(), std::memory_order_relaxed);
}

uint32_t OutlierDetector::consecutive_failures() const {
  return Row::unpack(generation_and_count_.load(std::memory_order_relaxed)).failures;
}

}  // namespace sluice
