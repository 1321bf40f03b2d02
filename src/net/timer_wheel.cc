#include "sluice/net/timer_wheel.h"

#include <algorithm>

namespace sluice {

TimerWheel::TimerWheel(Loop& loop, std::function<void(Entry&)> on_due)
    : loop_(loop),
      on_due_(std::move(on_due)),
      timer_(loop, [this] { advance(loop_.now()); }),
      current_tick_(loop.now().time_since_epoch() / kTick) {}

void TimerWheel::schedule(Entry& entry, TimePoint deadline) {
  entry.unlink();
  entry.due_tick_ = std::max(tick_at_or_after(deadline), current_tick_ + 1);
  insert(entry);
  const int64_t visit_tick = std::min(entry.due_tick_, current_tick_ + int64_t{kSlots} - 1);
  if (armed_tick_ == 0 || visit_tick < armed_tick_) arm(loop_.now());
}

void TimerWheel::insert(Entry& entry) {
  // An entry of a later round waits in the slot it will be due in; run_slot() lets it pass.
  const auto slot = static_cast<size_t>(entry.due_tick_) % kSlots;
  Entry& head = slots_[slot];
  entry.previous_ = head.previous_;
  entry.next_ = &head;
  head.previous_->next_ = &entry;
  head.previous_ = &entry;
  occupied_.set(slot);
}

void TimerWheel::advance(TimePoint now) {
  const int64_t now_tick = now.time_since_epoch() / kTick;
  armed_tick_ = 0;
  // After a long stall one round visits every slot.
  const int64_t first = std::max(current_tick_ + 1, now_tick - int64_t{kSlots} + 1);
  current_tick_ = std::max(current_tick_, now_tick);
  for (int64_t tick = first; tick <= now_tick; ++tick) {
    const auto slot = static_cast<size_t>(tick) % kSlots;
    if (occupied_.test(slot)) run_slot(slot, now_tick);
  }
  arm(now);
}

void TimerWheel::run_slot(size_t slot, int64_t tick) {
  Entry& head = slots_[slot];
  // The list is moved aside first: a callback may schedule into this very slot.
  Entry passing;
  if (head.is_scheduled()) {
    passing.next_ = head.next_;
    passing.previous_ = head.previous_;
    passing.next_->previous_ = &passing;
    passing.previous_->next_ = &passing;
    head.next_ = head.previous_ = &head;
  }
  occupied_.reset(slot);
  while (passing.is_scheduled()) {
    Entry& entry = *passing.next_;
    entry.unlink();
    if (entry.due_tick_ <= tick) {
      on_due_(entry);
    } else {
      insert(entry);
    }
  }
}

void TimerWheel::arm(TimePoint now) {
  if (occupied_.none()) return;
  for (int64_t tick = current_tick_ + 1; tick < current_tick_ + int64_t{kSlots} + 1; ++tick) {
    const auto slot = static_cast<size_t>(tick) % kSlots;
    if (!occupied_.test(slot)) continue;
    if (!slots_[slot].is_scheduled()) {
      occupied_.reset(slot);
      continue;
    }
    armed_tick_ = tick;
    timer_.start(std::max(Duration(0), TimePoint(kTick * tick) - now));
    return;
  }
}

}  // namespace sluice
