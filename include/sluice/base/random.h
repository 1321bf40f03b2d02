// A small seeded random generator (SplitMix64, Steele, Lea and Flood 2014), for jitter and for
// starting positions. Randomness is an argument of whoever needs it, so a test can repeat a run.
// One per thread.
#pragma once

#include <cstdint>

#include "sluice/base/time.h"

namespace sluice {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

  // Uniform in [0, bound); 0 when bound is 0. The bias is below bound / 2^64.
  uint64_t below(uint64_t bound) {
    __extension__ using Wide = unsigned __int128;  // pedantic compilers want it marked
    return static_cast<uint64_t>((Wide{next()} * bound) >> 64U);
  }

  // Uniform in [0, 1).
  double fraction() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

  // `span` stretched or shrunk by up to `percent` of itself, uniformly.
  Duration jittered(Duration span, double percent) {
    const double factor = 1.0 + (2.0 * fraction() - 1.0) * percent / 100.0;
    return Duration(static_cast<Duration::rep>(static_cast<double>(span.count()) * factor));
  }

 private:
  uint64_t state_;
};

}  // namespace sluice
