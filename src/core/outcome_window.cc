#include "sluice/core/outcome_window.h"

namespace sluice {
namespace {

constexpr uint32_t kCountBits = 20;
constexpr uint32_t kLapBits = 24;
constexpr uint32_t kLapMask = (1U << kLapBits) - 1;

// The number of the bucket that `now` falls into.
uint64_t bucket_number(TimePoint now, Duration::rep length) {
  return static_cast<uint64_t>(now.time_since_epoch().count() / length);
}

uint32_t lap_of(uint64_t number) {
  return static_cast<uint32_t>(number / OutcomeWindow::kBuckets) & kLapMask;
}

// Serial number arithmetic (RFC 1982), because laps wrap.
bool is_later(uint32_t lap, uint32_t than) {
  const uint32_t ahead = (lap - than) & kLapMask;
  return ahead != 0 && ahead < (1U << (kLapBits - 1));
}

}  // namespace

struct OutcomeWindow::Bucket {
  uint32_t lap = 0;
  OutcomeCounts counts;

  static Bucket unpack(uint64_t word) {
    return {.lap = static_cast<uint32_t>(word >> (2 * kCountBits)),
            .counts = {.successes = static_cast<uint32_t>(word) & kCountMax,
                       .failures = static_cast<uint32_t>(word >> kCountBits) & kCountMax}};
  }
  uint64_t pack() const {
    return uint64_t{lap} << (2 * kCountBits) | uint64_t{counts.failures} << kCountBits |
           counts.successes;
  }
  bool is_empty() const { return counts.volume() == 0; }

  void count(Outcome outcome) {
    uint32_t& kind = outcome == Outcome::success ? counts.successes : counts.failures;
    if (kind == kCountMax) {
      counts.successes /= 2;
      counts.failures /= 2;
    }
    ++kind;
  }
};

void OutcomeWindow::add(Outcome outcome, TimePoint now) {
  const uint64_t number = bucket_number(now, bucket_length_.load(std::memory_order_relaxed));
  const uint32_t lap = lap_of(number);
  std::atomic<uint64_t>& place = buckets_[number % kBuckets];
  uint64_t seen = place.load(std::memory_order_relaxed);
  // A lost swap means that another thread's was won, so this ends.
  while (true) {
    Bucket bucket = Bucket::unpack(seen);
    if (bucket.lap != lap) {
      if (!bucket.is_empty() && is_later(bucket.lap, lap)) return;
      bucket = {.lap = lap, .counts = {}};
    }
    bucket.count(outcome);
    if (place.compare_exchange_weak(seen, bucket.pack(), std::memory_order_relaxed)) return;
  }
}

OutcomeCounts OutcomeWindow::sum_up(TimePoint now) {
  const uint64_t newest = bucket_number(now, bucket_length_.load(std::memory_order_relaxed));
  OutcomeCounts sum;
  for (size_t place = 0; place < kBuckets; ++place) {
    uint64_t seen = buckets_[place].load(std::memory_order_relaxed);
    const Bucket bucket = Bucket::unpack(seen);
    if (bucket.is_empty()) continue;
    // The number of this place's bucket among the newest kBuckets.
    const uint64_t number = newest - (newest - place) % kBuckets;
    if (bucket.lap == lap_of(number)) {
      sum.successes += bucket.counts.successes;
      sum.failures += bucket.counts.failures;
    } else if (bucket.lap != lap_of(number + kBuckets)) {
      // Not of a worker whose clock is a little ahead either. A worker that writes just now wins.
      buckets_[place].compare_exchange_strong(seen, 0, std::memory_order_relaxed);
    }
  }
  return sum;
}

void OutcomeWindow::set_length(Duration window) {
  constexpr auto kParts = static_cast<Duration::rep>(kBuckets);
  const Duration::rep length = (window.count() + kParts - 1) / kParts;
  if (bucket_length_.exchange(length, std::memory_order_relaxed) != length) clear();
}

void OutcomeWindow::clear() {
  for (auto& bucket : buckets_) bucket.store(0, std::memory_order_relaxed);
}

}  // namespace sluice
