// What a worker counts beside its listeners' and clusters' tallies. It writes, any thread reads.
#pragma once

#include <array>
#include <cstddef>

#include "sluice/base/counter.h"

namespace sluice {

struct WorkerTally {
  // Of Linux's errno, all of them.
  static constexpr size_t kErrors = 134;

  // How often something of our own was short or forbidden, by errno.
  std::array<Counter, kErrors> local_errors;

  void count_local_error(int error) {
    const auto place = static_cast<size_t>(error);
    if (place < local_errors.size()) local_errors[place].add();
  }
};

}  // namespace sluice
