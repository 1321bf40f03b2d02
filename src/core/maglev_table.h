// The lookup table of Maglev hashing (Eisenbud et al., "Maglev: A Fast and Reliable Software
// Network Load Balancer", NSDI 2016, section 3.4): each candidate has a permutation of all slots
// made from its name, and they take turns in taking the next free slot of theirs until the table is
// full. So each has its share to within a turn's slot, and a candidate that comes or goes moves
// little more than its own slots.
//
// Weighted: a candidate takes part in weight / greatest weight of the rounds. Turns are taken in
// the order of the names' hashes, so that the order of the list has no influence. Immutable once
// made; shared by all workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sluice/core/cluster_snapshot.h"

namespace sluice {

class MaglevTable {
 public:
  // A prime number. The paper's, for at most one percent between the shares of up to 655 backends.
  static constexpr uint32_t kSlots = 65'537;

  // By the weights that the candidates have now. Takes milliseconds.
  explicit MaglevTable(BackendList candidates);

  // Whether it is the table of these candidates with the weights that they have now.
  bool is_of(BackendList candidates) const;

  // Nobody has a weight: there are no slots.
  bool is_empty() const { return slots_.empty(); }

  // The index of the candidate.
  uint32_t operator[](size_t slot) const { return slots_[slot]; }

  // How many candidates have a slot. One whose share is less than a slot may have none.
  size_t owners() const { return owners_; }

 private:
  struct Player;
  static std::vector<Player> players_of(const std::vector<const Backend*>& candidates,
                                        const std::vector<uint32_t>& weights);
  void fill(std::vector<Player>& players);

  std::vector<const Backend*> candidates_;  // only compared
  std::vector<uint32_t> weights_;
  std::vector<uint32_t> slots_;
  size_t owners_ = 0;
};

}  // namespace sluice
