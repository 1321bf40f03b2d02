// How often values fell between fixed bounds: one thread counts, any thread reads (base/counter.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>

#include "sluice/base/counter.h"

namespace sluice {

// What was read of a histogram, or of several with the same bounds. The last bucket is for what is
// above all bounds.
template <size_t Buckets>
struct HistogramReading {
  std::array<uint64_t, Buckets> counts{};
  uint64_t sum = 0;

  uint64_t total() const { return std::accumulate(counts.begin(), counts.end(), uint64_t{0}); }
};

// `Bounds` is a constant array of ascending numbers. A value belongs to the first bound that is
// not below it, as Prometheus has it.
template <const auto& Bounds>
class Histogram {
 public:
  using Reading = HistogramReading<Bounds.size() + 1>;

  void add(uint64_t value) {
    const auto* bound = std::lower_bound(Bounds.data(), Bounds.data() + Bounds.size(), value);
    counts_[static_cast<size_t>(bound - Bounds.data())].add();
    sum_.add(value);
  }

  void add_to(Reading& reading) const {
    for (size_t i = 0; i < counts_.size(); ++i) reading.counts[i] += counts_[i].value();
    reading.sum += sum_.value();
  }

 private:
  std::array<Counter, Bounds.size() + 1> counts_;
  Counter sum_;
};

// The value below which this part of all (0 to 1) fell, as far as the buckets tell: evenly spread
// within one, and the last bound for what is above it. Nothing when there is none. (The way
// Prometheus' histogram_quantile() does it, for values from 0 up.)
std::optional<double> quantile(std::span<const uint64_t> bounds, std::span<const uint64_t> counts,
                               double part);

}  // namespace sluice
