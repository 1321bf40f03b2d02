#include "sluice/control/notifier.h"

#include <systemd/sd-daemon.h>

namespace sluice {

Notifier::Notifier(Loop& loop) : watchdog_(loop, [this] { pet_watchdog(); }) {
  uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return;
  watchdog_interval_ = std::chrono::microseconds(microseconds) / 2;
  watchdog_.start(watchdog_interval_);
}

void Notifier::pet_watchdog() {
  sd_notify(0, "WATCHDOG=1");
  watchdog_.start(watchdog_interval_);
}

void Notifier::ready() { sd_notify(0, "READY=1\nSTATUS=Serving"); }

void Notifier::stopping() { sd_notify(0, "STOPPING=1\nSTATUS=Draining"); }

}  // namespace sluice
