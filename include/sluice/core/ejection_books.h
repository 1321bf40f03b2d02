// A cluster's books of ejections: how many backends are out by a detector's proposal now, how often
// each detector was followed and refused, the first refusal that nobody has told of, and whose turn
// it is to decide. Lock-free, any thread.
//
// An ejection is counted as out from before the breaker is tripped until it has closed, the backend
// was removed, or the trip came to nothing; so the count is never too low, and `max_ejected` is
// never exceeded, not by one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "sluice/base/function_ref.h"
#include "sluice/core/outlier_settings.h"

namespace sluice {

// A detector's proposal that was not followed, for whoever tells of it.
struct RefusedEjection {
  std::string backend;
  std::string proposal;  // why the detector wanted it out
  std::string obstacle;  // why it stays in
  uint64_t times = 0;    // how often this detector has been refused in all

  friend bool operator==(const RefusedEjection&, const RefusedEjection&) = default;
};

class EjectionBooks {
 public:
  // The right to decide on one ejection. One at a time, or two that each see the other's backend
  // available would take out the last two; nobody waits: who does not get it drops its proposal,
  // and the backend's next misdeed is another.
  class Turn {
   public:
    explicit Turn(EjectionBooks& books) : books_(books) {
      is_mine_ = !books_.is_deciding_.exchange(true, std::memory_order_acquire);
    }
    ~Turn() {
      if (is_mine_) books_.is_deciding_.store(false, std::memory_order_release);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    explicit operator bool() const { return is_mine_; }

   private:
    EjectionBooks& books_;
    bool is_mine_;
  };

  // Out by proposal of success_rate, failure_percentage or early_close.
  uint32_t out() const { return out_.load(std::memory_order_acquire); }

  // Marks the backend of `ejected_by` and counts it as out.
  void take_out(std::atomic<Detector>& ejected_by, Detector detector);
  // The reverse, once for each; does nothing when it is not marked.
  void give_back(std::atomic<Detector>& ejected_by);

  void count_ejection(Detector detector) { count(ejections_, detector); }
  // By whoever has the turn. Kept to be told of when no other refusal of this detector is.
  void count_refusal(const Turn& turn, Detector detector, FunctionRef<RefusedEjection()> describe);
  // The first refusal since the last call; nothing when there was none, or while somebody decides.
  std::optional<RefusedEjection> take_refusal(Detector detector);

  uint64_t ejections(Detector detector) const { return value(ejections_, detector); }
  uint64_t refusals(Detector detector) const { return value(refusals_, detector); }

 private:
  using Counters = std::array<std::atomic<uint64_t>, kDetectors>;

  static void count(Counters& counters, Detector detector) {
    counters[static_cast<size_t>(detector)].fetch_add(1, std::memory_order_relaxed);
  }
  static uint64_t value(const Counters& counters, Detector detector) {
    return counters[static_cast<size_t>(detector)].load(std::memory_order_relaxed);
  }

  std::atomic<bool> is_deciding_{false};
  std::atomic<uint32_t> out_{0};
  Counters ejections_{};
  Counters refusals_{};
  // Touched only by whoever has the turn.
  std::array<std::optional<RefusedEjection>, kDetectors> untold_refusals_;
};

inline void EjectionBooks::count_refusal(const Turn& /*turn*/, Detector detector,
                                         FunctionRef<RefusedEjection()> describe) {
  count(refusals_, detector);
  auto& untold = untold_refusals_[static_cast<size_t>(detector)];
  if (!untold) untold = describe();
}

inline std::optional<RefusedEjection> EjectionBooks::take_refusal(Detector detector) {
  const Turn turn(*this);
  if (!turn) return std::nullopt;
  auto refusal = std::exchange(untold_refusals_[static_cast<size_t>(detector)], std::nullopt);
  if (refusal) refusal->times = refusals(detector);
  return refusal;
}

inline void EjectionBooks::take_out(std::atomic<Detector>& ejected_by, Detector detector) {
  // Counted first: whoever finds the mark may give it back at once.
  out_.fetch_add(1, std::memory_order_acq_rel);
  if (ejected_by.exchange(detector) != Detector::none) {
    out_.fetch_sub(1, std::memory_order_acq_rel);  // it was marked and counted before
  }
}

inline void EjectionBooks::give_back(std::atomic<Detector>& ejected_by) {
  if (ejected_by.load() == Detector::none) return;
  if (ejected_by.exchange(Detector::none) == Detector::none) return;
  out_.fetch_sub(1, std::memory_order_acq_rel);
}

}  // namespace sluice
