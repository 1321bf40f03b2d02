// When each of many probers goes next. Pure: the time is an argument, and nobody is called.
//
// The first probe of a slot is due at once; the second after a random part of the interval, so that
// slots spread over it whenever they came; then one every interval ± jitter, counted from when the
// last was due and not from when it went or ended, so that lateness does not add up. What was
// missed (a probe that took longer than its interval, a loop that stood still) is skipped, and the
// slot keeps its place in the interval: a pause does not put all of them in step. Who is due first
// goes first, so under overload all are late alike and nobody starves.
#pragma once

#include <map>
#include <optional>

#include "sluice/base/random.h"
#include "sluice/base/time.h"
#include "sluice/core/circuit_breaker.h"
#include "sluice/core/health_tracker.h"

namespace sluice {

class ProbeSchedule;

// One prober's place in the schedule, which it leaves with its life.
class ProbeSlot {
 public:
  explicit ProbeSlot(ProbeSchedule& schedule) : schedule_(schedule) {}
  ~ProbeSlot();
  ProbeSlot(const ProbeSlot&) = delete;
  ProbeSlot& operator=(const ProbeSlot&) = delete;

 private:
  friend class ProbeSchedule;
  using Queue = std::multimap<TimePoint, ProbeSlot*>;  // of the same time, who came first

  ProbeSchedule& schedule_;
  std::optional<Queue::iterator> place_;  // none while its probe is under way
  TimePoint due_at_{};
  bool is_spread_ = false;
};

class ProbeSchedule {
 public:
  explicit ProbeSchedule(Random random) : random_(random) {}

  void begin(ProbeSlot& slot, TimePoint now);

  // The slot that has been due for longest, if any is due. It is out of the schedule until its next
  // probe is planned.
  ProbeSlot* take_due(TimePoint now);

  // `jitter` is in percent of the interval.
  void plan_next(ProbeSlot& slot, Duration interval, double jitter, TimePoint now);

  // Makes the next probe due within the interval, if it was to come later. While one is under way,
  // what it finds decides about the next.
  void hasten(ProbeSlot& slot, Duration interval, double jitter, TimePoint now);

  std::optional<TimePoint> next_due() const;

 private:
  friend class ProbeSlot;

  void put(ProbeSlot& slot, TimePoint due_at);
  void remove(ProbeSlot& slot);

  Random random_;
  ProbeSlot::Queue queue_;
};

struct ProbeIntervals {
  Duration healthy;
  Duration unhealthy;
};

// From one probe of a backend to the next: the first while all is well, the second while it is
// settled that it is not, and the shorter of both on the verge of a change.
Duration probe_interval(const ProbeIntervals& intervals, Health health, bool has_failed_last,
                        BreakerState breaker);

}  // namespace sluice
