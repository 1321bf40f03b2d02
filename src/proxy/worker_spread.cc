#include "sluice/proxy/worker_spread.h"

#include <algorithm>

namespace sluice {

size_t WorkerSpread::add(Worker& worker) {
  seats_.push_back(std::make_unique<Seat>(worker));
  return seats_.size() - 1;
}

size_t WorkerSpread::place(size_t own) {
  const size_t others = seats_.size() - 1;
  const size_t looks = std::min(others, kLooksMax);
  size_t& look_from = seats_[own]->look_from;
  size_t least = own;
  for (size_t i = 0; i < looks; ++i) {
    const size_t other = (own + 1 + (look_from + i) % others) % seats_.size();
    if (sessions(other) < sessions(least)) least = other;
  }
  if (looks < others) look_from = (look_from + looks) % others;
  const uint32_t fewest = sessions(least);
  if (sessions(own) <= fewest + kSlack + fewest / kSlackDivisor) least = own;
  seats_[least]->sessions.fetch_add(1, std::memory_order_relaxed);
  return least;
}

}  // namespace sluice
