// Consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, 2018), weighted: what
// the hash policies ask about each candidate before they offer it. A backend's capacity is
//
//   ceil(max_load / 100 * (connections + 1) * weight / weights)
//
// over the priority level, and whoever has that many is passed over; so a hot key spills to the
// next in its order. When all were passed over or declined, those passed over are offered after
// all: within the bound of those that are left, in the same order; then without a bound, by their
// load.
//
// Backends that take nobody count at first, because a policy knows nothing of health. Left at that,
// a few dead ones would make the bound too tight for the living, all of them would be full, and
// clients would lose their backends for no reason. So in the second round whoever has declined is
// out of both sums: of those that are left one is always within the bound, as max_load is above
// 100. Not before, or the bound would depend on how many dead ones come first in a client's order,
// and it would be sent past its own backend. The price: while more than 1 - 100 / max_load of
// the weight is dead (a fifth, at 125), many picks go through all candidates twice.
//
// The sums are kept from pick to pick and kLooksPerPick candidates are looked at again in each: up
// to that many backends they are exact, with more they lag by some picks, which matters little
// beside sums of that size. Without max_load nothing is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "best_first.h"
#include "load.h"
#include "sluice/core/balancer.h"

namespace sluice {

class BoundedLoad {
 public:
  // `max_load` in percent, above 100; nothing: no bound.
  explicit BoundedLoad(std::optional<uint32_t> max_load) : max_load_(max_load) {}

  void adopt(BackendList candidates);

  // A new pick.
  void begin();

  // Offers this one if it has a weight and is within the bound. True: it has accepted. At most once
  // for each candidate in a pick, in the order of its hash.
  bool offer(size_t index, Balancer::Accept accept);

  // Offers those that offer() has passed over.
  std::optional<size_t> offer_passed_over(Balancer::Accept accept);

 private:
  static constexpr size_t kLooksPerPick = 512;

  struct Share {
    uint64_t connections = 0;
    uint64_t weight = 0;
  };

  Share look_at(size_t index) const;
  void look_again(size_t index);
  bool has_room(const Share& share, const Share& total) const;
  bool ask(size_t index, Balancer::Accept accept);
  std::optional<size_t> offer_within_the_bound(Balancer::Accept accept);
  std::optional<size_t> offer_by_load(Balancer::Accept accept);

  const std::optional<uint32_t> max_load_;
  BackendList candidates_;
  std::vector<Share> seen_;  // of each candidate, when it was last looked at
  Share total_;              // of those
  size_t next_look_ = 0;
  Share declined_;                   // of those that declined in this pick
  std::vector<size_t> passed_over_;  // in this pick, in the order of the hash
  BestFirst<Load> ordered_;          // used during a pick
};

}  // namespace sluice
