// An open loop: requests are due at a fixed rate, whatever became of those before them, in small
// bursts 250 us apart, so that the load's core has time for more than its own timers. A request
// that finds all connections busy waits for one, and its waiting counts, so that a stall is seen by
// every request it delays (no coordinated omission).
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "load_loop.h"

namespace sluice::bench {

// A connection that can send a request.
class Scheduled {
 public:
  Scheduled() = default;
  Scheduled(const Scheduled&) = delete;
  Scheduled& operator=(const Scheduled&) = delete;
  virtual ~Scheduled() = default;
  virtual void send_request_due_at(uint64_t due_ns) = 0;
};

class Schedule final : public Target {
 public:
  // `rate` requests a second.
  Schedule(Loop& loop, uint64_t rate);
  ~Schedule() override;

  // The first request is due now.
  void start();
  // `connection` has nothing to do: it gets the oldest request that is due, or waits its turn.
  void take(Scheduled& connection);
  void on_ready(uint32_t events) override;

 private:
  uint64_t next_due_ns() const;
  void send_what_is_due();
  void wake_at(uint64_t due_ns);

  const uint64_t rate_;
  const int timer_;
  std::optional<uint64_t> started_at_ns_;
  uint64_t sent_ = 0;  // so many requests were sent: the queue is what was due since
  uint64_t wakes_at_ns_ = 0;
  std::deque<Scheduled*> free_;  // longest free first, so that all have their share
};

}  // namespace sluice::bench
