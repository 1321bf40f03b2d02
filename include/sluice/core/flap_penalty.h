// How much longer a backend stays out because it has opened again and again. Each opening of a
// closed breaker adds one doubling of the open period for the next; proven health takes one back: a
// row of kProofs good signs (successful connects, passed probes) since it closed, without a bad one
// between, that has lasted a while. So neither an idle backend nor one that is well for a moment
// under much traffic is forgiven.
//
// One per backend, lock-free, any thread. Everything is one atomic word.
#pragma once

#include <atomic>
#include <cstdint>

#include "sluice/base/time.h"

namespace sluice {

class FlapPenalty {
 public:
  static constexpr uint32_t kProofs = 20;
  // More doublings than this are longer than any maximum.
  static constexpr uint32_t kDoublingsMax = 62;

  // Doublings of the next open period.
  uint32_t doublings() const;

  // The breaker opened from closed.
  void opened();

  // A good sign. The row must have lasted `span` to take a doubling back. Writes nothing while
  // there is no penalty, and nothing once the row is long enough and only time is missing.
  void good_sign(TimePoint now, Duration span);
  // A bad sign, or the row's beginning anew: the doublings stay.
  void break_row();

  void forget() { word_.store(0, std::memory_order_relaxed); }

 private:
  struct Word;  // the atomic word's fields, in flap_penalty.cc

  template <typename Step>
  void change(Step step);

  std::atomic<uint64_t> word_{0};
};

}  // namespace sluice
