// Judges a backend by how live connects go: counts consecutive connect failures, over all workers.
// (The statistical detectors are in outlier_statistics.h; early closes are counted by another one
// of these.) A detector proposes an ejection, the cluster decides (by tripping the breaker). One
// per backend, lock-free, any thread.
//
// The count belongs to one generation of the breaker: an outcome of an older generation neither
// adds to it nor resets it. Generation and count are one atomic word.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "sluice/core/circuit_breaker.h"
#include "sluice/core/connect_outcome.h"

namespace sluice {

// A detector's proposal to take the backend out.
struct Ejection {
  uint32_t generation;  // the breaker's, that the failures belong to
  uint32_t consecutive_failures;
};

class OutlierDetector {
 public:
  // Takes in the outcome of a connect made under `permit`. A backend failure adds one, a success
  // sets the count to zero, everything else changes nothing. Proposes when the count has reached
  // `failure_threshold`, or stands above it because the threshold was lowered.
  std::optional<Ejection> record(const Permit& permit, ConnectOutcome outcome,
                                 uint32_t failure_threshold);

  // Begins a generation of the breaker with a count of zero, before anybody holds a permit of it.
  void begin_generation(uint32_t generation);

  // Failures in a row in the generation last heard of; while the breaker is open, those that opened
  // it and the stragglers since.
  uint32_t consecutive_failures() const;

 private:
  std::atomic<uint64_t> generation_and_count_{0};
};

}  // namespace sluice
