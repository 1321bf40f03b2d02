// What a load program counts between two marks: units of work, bytes, how long units took, and its
// own CPU, so that nobody has to guess whether the driver was the bottleneck.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace sluice::bench {

// The machine's monotonic clock.
uint64_t now_ns();

// Log-linear: 128 buckets for each power of two, so a percentile is at most 0.8 % too high.
class LatencyHistogram {
 public:
  void add(uint64_t ns);
  // Upper edge of the bucket that holds the `percent`-th value; 0 when nothing was added.
  uint64_t percentile(double percent) const;
  uint64_t count() const { return count_; }

 private:
  static constexpr unsigned kSubBucketBits = 7;
  static constexpr uint64_t kSubBuckets = uint64_t{1} << kSubBucketBits;
  static constexpr size_t kBuckets = (64 - kSubBucketBits + 1) * kSubBuckets;

  static size_t bucket_of(uint64_t ns);
  static uint64_t upper_edge(size_t bucket);

  std::array<uint32_t, kBuckets> counts_{};
  uint64_t count_ = 0;
};

class Stats {
 public:
  Stats() { mark(); }

  void add_unit(uint64_t took_ns) {
    ++units_;
    latency_.add(took_ns);
  }
  void add_bytes(uint64_t bytes) { bytes_ += bytes; }

  // Forgets everything so far.
  void mark();
  // What happened since the mark, as one line of JSON.
  std::string report() const;

 private:
  uint64_t units_ = 0;
  uint64_t bytes_ = 0;
  LatencyHistogram latency_;
  uint64_t marked_at_ns_ = 0;
  uint64_t cpu_at_mark_ns_ = 0;
};

}  // namespace sluice::bench
