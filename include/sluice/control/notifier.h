// Tells systemd how the service is doing (sd_notify(3)); does nothing when not started by it.
#pragma once

#include <memory>

#include "sluice/net/loop.h"

namespace sluice {

class Notifier {
 public:
  // Pets the watchdog from `loop`, at half its interval, when systemd asked for that.
  explicit Notifier(Loop& loop);

  void ready();
  void stopping();

 private:
  void pet_watchdog();

  Duration watchdog_interval_{};
  Timer watchdog_;
};

}  // namespace sluice
