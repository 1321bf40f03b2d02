// What a session needs only until a backend is connected; freed then.
#pragma once

#include <optional>

#include "sluice/base/time.h"
#include "sluice/core/picker.h"
#include "sluice/proxy/session.h"
#include "sluice/proxy/worker.h"

namespace sluice {

// A place among those who wait for one at the cluster's backends. Left when it goes.
class PendingPlace {
 public:
  PendingPlace(ClusterRoute& route, PendingQueue::Ticket ticket, Session& session)
      : route_(route), ticket_(ticket) {
    route_.pending.emplace(ticket_, &session);
  }
  ~PendingPlace() {
    route_.pending.erase(ticket_);
    queue().leave(ticket_);
  }
  PendingPlace(const PendingPlace&) = delete;
  PendingPlace& operator=(const PendingPlace&) = delete;

  uint64_t calls() { return queue().calls(); }
  // In the next turn of its loop.
  void call_again() { route_.call(ticket_); }
  bool rest(uint64_t calls_before_try) { return queue().rest(ticket_, calls_before_try); }

 private:
  PendingQueue& queue() { return route_.picker.snapshot()->cluster->pending(); }

  ClusterRoute& route_;
  const PendingQueue::Ticket ticket_;
};

struct Session::Connecting {
  // What the session is waiting for.
  enum class Wait : uint8_t {
    verdict,       // of the connect under way
    full_backlog,  // of a unix backend: connect again in a moment
    own_shortage,  // of our own: pick again in a moment
    place,         // at any of the backends: pick again when called
  };

  Lease lease;  // of the attempt under way
  TriedBackends tried;
  std::shared_ptr<const Backend> last_tried;
  TimePoint deadline{};  // of all attempts together
  TimePoint attempt_began{};
  TimePoint attempt_deadline{};  // of this one
  Wait wait = Wait::verdict;
  bool is_postponed = false;            // the attempt to come was picked for before
  bool is_given_up = false;             // only the verdict of the one under way is wanted
  std::optional<PendingPlace> pending;  // while it waits for a place
  TimePoint pending_since{};
};

}  // namespace sluice
