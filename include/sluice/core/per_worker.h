// One T for each worker, on cache lines of its own: each worker writes its own and disturbs nobody,
// whoever wants the sum reads them all. Made once; each T is written by its worker only, which is
// what Counter asks for.
#pragma once

#include <cstddef>
#include <vector>

#include "sluice/core/cache_line.h"

namespace sluice {

template <typename T>
class PerWorker {
 public:
  explicit PerWorker(size_t workers) : cells_(workers) {}

  // Workers are numbered from 0.
  T& of(size_t worker) { return cells_[worker]; }

  // To add them up: any thread.
  auto begin() const { return cells_.begin(); }
  auto end() const { return cells_.end(); }

 private:
  struct alignas(kCacheLine) Cell : T {};

  std::vector<Cell> cells_;
};

}  // namespace sluice
