// How a backend's connects went during the last while: a ring of buckets, each one atomic word with
// the lap it belongs to and its counts of successes and failures. Lock-free; one per backend.
// Workers add, the control loop sums up and sweeps, sets the length and clears.
//
// Time is divided into buckets of window / kBuckets (rounded up to a nanosecond), counted from the
// clock's zero, in whole numbers. An outcome counts as long as its bucket is one of the newest
// kBuckets, the running one included: never longer than `window`, and never less than a sixteenth
// short of it.
//
// A bucket's place in the ring is its number modulo kBuckets; the rest of the number, the lap, is
// kept modulo 2^24. So a bucket of before could pass for one of now after 2^24 windows (16 years at
// 30 s), if sum_up() did not sweep out what has left the window; it is called every second.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "sluice/base/time.h"

namespace sluice {

struct OutcomeCounts {
  uint32_t successes = 0;
  uint32_t failures = 0;

  uint32_t volume() const { return successes + failures; }
};

class OutcomeWindow {
 public:
  static constexpr size_t kBuckets = 16;
  // Of one kind in one bucket. Beyond it both counts of the bucket are halved: the share stays.
  static constexpr uint32_t kCountMax = (1U << 20U) - 1;

  enum class Outcome : uint8_t { success, failure };

  // An outcome whose bucket another worker's clock has already left behind by a whole lap is
  // dropped.
  void add(Outcome outcome, TimePoint now);

  // What counts as of `now`, and forgets everything else.
  OutcomeCounts sum_up(TimePoint now);

  // Another length forgets everything. 1 ms or more.
  void set_length(Duration window);
  void clear();

 private:
  struct Bucket;  // the atomic word's fields, in outcome_window.cc

  std::atomic<Duration::rep> bucket_length_{1};
  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
};

}  // namespace sluice
