// Candidates of a pick in the order of some merit, of which mostly only the first few are wanted:
// O(n) to begin, O(log n) for each that is offered. One is kept from pick to pick, so that it
// allocates once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

namespace sluice {

template <typename T>
class BestFirst {
 public:
  void reserve(size_t count) { items_.reserve(count); }
  void clear() { items_.clear(); }
  void add(const T& item) { items_.push_back(item); }

  // Offers what was added, the best first, and returns the first that is taken. Used up by that.
  template <typename IsWorse, typename Take>
  std::optional<T> offer(IsWorse is_worse, Take take) {
    std::make_heap(items_.begin(), items_.end(), is_worse);
    while (!items_.empty()) {
      std::pop_heap(items_.begin(), items_.end(), is_worse);
      const T best = items_.back();
      items_.pop_back();
      if (take(best)) return best;
    }
    return std::nullopt;
  }

 private:
  std::vector<T> items_;
};

}  // namespace sluice
