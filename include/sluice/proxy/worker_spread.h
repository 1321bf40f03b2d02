// Which worker takes a client. The kernel spreads connections over the workers' sockets by a hash
// of their addresses, so a few long ones end up uneven: of 16 sessions on 4 workers one may have 8
// and another none. Whoever accepts a client while another worker has clearly fewer sessions hands
// it over. Short sessions even out by themselves and must not pay for it, so small differences are
// left alone.
//
// Holds each worker's count of sessions, one writer at a time being the rule: its own thread, and
// now and then somebody who hands a client over. Built before the workers start; outlives them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sluice/core/cache_line.h"

namespace sluice {

class Worker;

class WorkerSpread {
 public:
  // At most that many others are looked at for one client; with more workers than that, others the
  // next time.
  static constexpr size_t kLooksMax = 8;
  // A client stays where it was accepted unless another worker has fewer sessions by more than
  // this and, beyond it, a sixteenth of its own.
  static constexpr uint32_t kSlack = 1;
  static constexpr uint32_t kSlackDivisor = 16;

  // Before any worker starts. The index is how the worker calls itself from then on.
  size_t add(Worker& worker);

  // Takes a place for a client that worker `own` has accepted: with itself or with the one that is
  // to get it. On the thread of `own`.
  size_t place(size_t own);
  // Gives it back, when the session has ended.
  void leave(size_t index) { seats_[index]->sessions.fetch_sub(1, std::memory_order_relaxed); }

  Worker& worker(size_t index) { return seats_[index]->worker; }
  uint32_t sessions(size_t index) const {
    return seats_[index]->sessions.load(std::memory_order_relaxed);
  }

 private:
  struct alignas(kCacheLine) Seat {
    explicit Seat(Worker& its_worker) : worker(its_worker) {}

    Worker& worker;
    size_t look_from = 0;  // whom to look at next; its own thread's
    std::atomic<uint32_t> sessions{0};
  };

  std::vector<std::unique_ptr<Seat>> seats_;
};

}  // namespace sluice
