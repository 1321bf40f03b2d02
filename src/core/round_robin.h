// Weighted round robin, smooth: a backend of weight 5 gets its five turns spread over the round,
// not in a row. Earliest deadline first over virtual time (stride scheduling, Waldspurger and Weihl
// 1995): a turn moves a backend's deadline on by kRound / weight, and the earliest deadline is
// next. O(log n) per candidate offered.
//
// A candidate that declines has its turns passed up to the moment of the pick, like one that is
// served, so one that comes back gets its share and no burst. (Passing only the turn it declined is
// not enough: a heavy one that is down falls behind by its other turns, and had them all in a row
// when it came back.) Weights may change at any time: a new one counts from the backend's next
// turn, those of weight 0 are set aside and looked at, one per pick, for a weight that was raised.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sluice/core/balancer.h"

namespace sluice {

class RoundRobin final : public Balancer {
 public:
  explicit RoundRobin(Random random) : random_(random) {}

  void adopt(const PriorityLevel& level) override;
  std::optional<size_t> choose(const PickRequest& request, Accept accept) override;

 private:
  using VirtualTime = uint64_t;
  // A round of weight 1. Divisible by every weight up to 16, so that their strides are exact, and
  // large enough that the others' are as good as that.
  static constexpr VirtualTime kRound = VirtualTime{720'720} << 32U;
  // Deadlines are set back when they pass this, far below the type's end.
  static constexpr VirtualTime kRebaseAt = VirtualTime{1} << 62U;

  struct Turn {
    VirtualTime deadline;
    uint32_t index;  // of the candidate; breaks ties
  };
  struct PassedTurn {
    Turn next;
    VirtualTime stride;
  };
  // For a heap whose front is the earliest.
  static bool is_later(const Turn& a, const Turn& b) {
    return a.deadline != b.deadline ? a.deadline > b.deadline : a.index > b.index;
  }

  static VirtualTime stride(uint32_t weight) { return kRound / weight; }
  VirtualTime head() const;
  std::optional<size_t> offer_turns(Accept accept);
  void put_back_passed();
  void wake_next_idle();
  bool wake_all_idle();
  bool wake(size_t position);
  void rebase();

  Random random_;
  BackendList candidates_;
  VirtualTime now_ = 0;             // the deadline of the turn that came last
  std::vector<Turn> turns_;         // a heap; between picks, no deadline is before now_
  std::vector<PassedTurn> passed_;  // those that came during a pick
  std::vector<uint32_t> idle_;      // candidates of weight 0
  size_t next_idle_ = 0;
};

}  // namespace sluice
