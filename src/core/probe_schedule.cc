#include "sluice/core/probe_schedule.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace sluice {

ProbeSlot::~ProbeSlot() { schedule_.remove(*this); }

void ProbeSchedule::begin(ProbeSlot& slot, TimePoint now) { put(slot, now); }

ProbeSlot* ProbeSchedule::take_due(TimePoint now) {
  if (queue_.empty() || queue_.begin()->first > now) return nullptr;
  ProbeSlot* slot = queue_.begin()->second;
  remove(*slot);
  return slot;
}

void ProbeSchedule::plan_next(ProbeSlot& slot, Duration interval, double jitter, TimePoint now) {
  const Duration step = random_.jittered(interval, jitter);
  if (!std::exchange(slot.is_spread_, true)) {
    const double part = random_.fraction() * static_cast<double>(step.count());
    put(slot, now + Duration(static_cast<Duration::rep>(part)));
  } else {
    const auto missed = step.count() > 0 ? std::max<int64_t>(0, (now - slot.due_at_) / step) : 0;
    put(slot, slot.due_at_ + step * (missed + 1));
  }
}

void ProbeSchedule::hasten(ProbeSlot& slot, Duration interval, double jitter, TimePoint now) {
  if (!slot.place_) return;
  const TimePoint soon = now + random_.jittered(interval, jitter);
  if (soon < slot.due_at_) put(slot, soon);
}

std::optional<TimePoint> ProbeSchedule::next_due() const {
  if (queue_.empty()) return std::nullopt;
  return queue_.begin()->first;
}

void ProbeSchedule::put(ProbeSlot& slot, TimePoint due_at) {
  remove(slot);
  slot.due_at_ = due_at;
  slot.place_ = queue_.emplace(due_at, &slot);
}

void ProbeSchedule::remove(ProbeSlot& slot) {
  if (slot.place_) queue_.erase(*slot.place_);
  slot.place_.reset();
}

Duration probe_interval(const ProbeIntervals& intervals, Health health, bool has_failed_last,
                        BreakerState breaker) {
  const bool is_well =
      health == Health::healthy && !has_failed_last && breaker == BreakerState::closed;
  if (is_well) return intervals.healthy;
  if (health == Health::unhealthy && has_failed_last) return intervals.unhealthy;
  return std::min(intervals.healthy, intervals.unhealthy);
}

}  // namespace sluice
