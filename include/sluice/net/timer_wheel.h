// Coarse deadlines for many sessions: a hashed wheel (Varghese and Lauck 1987) of intrusive lists,
// O(1) to schedule, to move and to cancel, with a single libuv timer behind it that runs only while
// something is scheduled and only to the next slot that holds anything. A deadline is met up to one
// tick late, never early. Used on its loop's thread.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <functional>

#include "sluice/base/time.h"
#include "sluice/net/loop.h"

namespace sluice {

class TimerWheel {
 public:
  static constexpr Duration kTick = std::chrono::milliseconds(100);
  // Deadlines further away than the wheel's round go round again.
  static constexpr size_t kSlots = 1024;

  // Something with a deadline. Leaves the wheel when it goes.
  class Entry {
   public:
    Entry() = default;
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() { unlink(); }

    bool is_scheduled() const { return next_ != this; }
    // Meaningful while scheduled.
    TimePoint due() const { return TimePoint(kTick * due_tick_); }

   private:
    friend class TimerWheel;
    void unlink() {
      previous_->next_ = next_;
      next_->previous_ = previous_;
      next_ = previous_ = this;
    }

    Entry* next_ = this;
    Entry* previous_ = this;
    int64_t due_tick_ = 0;
  };

  // `on_due` is called for each entry whose deadline has come, after it has left the wheel. It may
  // schedule and cancel any entry.
  TimerWheel(Loop& loop, std::function<void(Entry&)> on_due);

  // (Re)schedules `entry` for `deadline`.
  void schedule(Entry& entry, TimePoint deadline);
  void cancel(Entry& entry) { entry.unlink(); }

  // Calls back for everything due at `now`. The loop does so by itself.
  void advance(TimePoint now);

 private:
  static int64_t tick_at_or_after(TimePoint time) {
    return (time.time_since_epoch() + kTick - Duration(1)) / kTick;
  }
  void insert(Entry& entry);
  void run_slot(size_t slot, int64_t tick);
  void arm(TimePoint now);

  Loop& loop_;
  std::function<void(Entry&)> on_due_;
  Timer timer_;
  std::array<Entry, kSlots> slots_;  // heads of circular lists
  std::bitset<kSlots> occupied_;     // may say yes for a slot that has become empty
  int64_t current_tick_ = 0;         // everything due before it has been told
  int64_t armed_tick_ = 0;           // 0: not armed
};

}  // namespace sluice
