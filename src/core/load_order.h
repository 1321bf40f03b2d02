// Offers the candidates by their load, the least first, exactly: looks at all of them. Ties go
// round, from a random start.
//
// O(n) when the best takes it. When it declines, the others are ordered once by a heap: O(n) more
// plus O(log n) per candidate offered. Reads the backends' shared counters and writes none.
#pragma once

#include <cstdint>
#include <optional>

#include "best_first.h"
#include "load.h"
#include "sluice/core/balancer.h"
#include "visit_marks.h"

namespace sluice {

class LoadOrder {
 public:
  // The turn among equals stays with whoever had it, or goes to the next that is still there.
  void adopt(BackendList candidates, Random& random);

  // A new pick, in which nobody was offered yet.
  void begin(const PickRequest& request) {
    offered_.begin();
    request_ = request;
  }

  const PickRequest& request() const { return request_; }

  // Somebody else offers this one.
  void mark_offered(size_t index) { offered_.visit(index); }
  Backend& candidate(size_t index) const { return *candidates_[index]; }

  // Offers those that were not offered yet.
  std::optional<size_t> offer(Balancer::Accept accept);

 private:
  size_t index_of(uint32_t turn) const { return (start_ + turn) % candidates_.size(); }
  Load look_at(size_t index, uint32_t turn) const;
  std::optional<Load> find_least() const;
  std::optional<size_t> offer_one(uint32_t turn, Balancer::Accept accept);
  std::optional<size_t> offer_by_load(Balancer::Accept accept);

  BackendList candidates_;
  PickRequest request_{};    // of this pick
  size_t start_ = 0;         // whose turn it is among equals
  VisitMarks offered_;       // in this pick
  BestFirst<Load> ordered_;  // used during a pick
};

}  // namespace sluice
