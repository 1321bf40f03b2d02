#include "load_stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <ctime>

namespace sluice::bench {
namespace {

uint64_t read_clock_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

double to_us(uint64_t ns) { return static_cast<double>(ns) / 1e3; }

}  // namespace

uint64_t now_ns() { return read_clock_ns(CLOCK_MONOTONIC); }

size_t LatencyHistogram::bucket_of(uint64_t ns) {
  if (ns < kSubBuckets) return ns;
  const auto shift = static_cast<unsigned>(std::bit_width(ns)) - kSubBucketBits - 1;
  return (shift + 1) * kSubBuckets + ((ns >> shift) - kSubBuckets);
}

uint64_t LatencyHistogram::upper_edge(size_t bucket) {
  if (bucket < kSubBuckets) return bucket;
  const uint64_t shift = bucket / kSubBuckets - 1;
  return ((bucket % kSubBuckets + kSubBuckets + 1) << shift) - 1;
}

void LatencyHistogram::add(uint64_t ns) {
  ++counts_[bucket_of(ns)];
  ++count_;
}

uint64_t LatencyHistogram::percentile(double percent) const {
  const auto exact_rank = std::ceil(static_cast<double>(count_) * percent / 100.0);
  const auto rank = std::max<uint64_t>(1, static_cast<uint64_t>(exact_rank));
  uint64_t seen = 0;
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += counts_[bucket];
    if (seen >= rank) return upper_edge(bucket);
  }
  return 0;
}

void Stats::mark() {
  units_ = 0;
  bytes_ = 0;
  latency_ = LatencyHistogram{};
  cpu_at_mark_ns_ = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  marked_at_ns_ = now_ns();
}

std::string Stats::report() const {
  const uint64_t elapsed_ns = std::max<uint64_t>(1, now_ns() - marked_at_ns_);
  const uint64_t cpu_ns = read_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_at_mark_ns_;
  return fmt::format(R"({{"seconds":{:.6f},"units":{},"bytes":{},"cpu_share":{:.4f},)"
                     R"("p50_us":{:.1f},"p99_us":{:.1f},"p999_us":{:.1f}}})",
                     static_cast<double>(elapsed_ns) / 1e9, units_, bytes_,
                     static_cast<double>(cpu_ns) / static_cast<double>(elapsed_ns),
                     to_us(latency_.percentile(50)), to_us(latency_.percentile(99)),
                     to_us(latency_.percentile(99.9)));
}

}  // namespace sluice::bench
