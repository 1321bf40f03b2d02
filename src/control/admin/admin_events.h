// Server-sent events for whoever follows: every transition and every change by an operator, and a
// heartbeat, so that both sides notice when the other has gone. Control loop only.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "admin_routes.h"
#include "event_ring.h"
#include "sluice/net/loop.h"

namespace sluice {

class AdminEvents {
 public:
  static constexpr Duration kHeartbeatInterval = std::chrono::seconds(15);

  // `wake` is called when there is something to say, in a turn of the loop of its own.
  AdminEvents(Loop& loop, std::string epoch, std::function<void()> wake);

  void add(std::string data);
  // A stream, from after the event that `Last-Event-ID` (or ?after=) names.
  HttpAnswer follow(const AdminCall& call);

  const EventRing& ring() const { return ring_; }

 private:
  void beat();

  EventRing ring_;
  uint64_t beats_ = 0;
  Timer beat_due_;
  Timer wake_due_;
};

}  // namespace sluice
