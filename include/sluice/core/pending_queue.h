// Clients that wait for a free place in a cluster, first come first served over all workers. They
// are called one at a time: whoever is called tries again and, when it has got a place or given up,
// leaves, which calls the next.
//
// A waiter that tries in vain goes on waiting where it was. Between its try and its rest a place
// may have become free without anybody being called for it, because the first in line was already
// called. So each call is counted: rest() says no when the count has moved on since the waiter
// looked at it, and then it tries again.
//
// Any thread may call anything. Nothing is locked unless somebody waits.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

namespace sluice {

class PendingQueue {
 public:
  using Ticket = uint64_t;
  // Called, on any thread and with the queue locked, when it is the turn of `ticket`: must only
  // pass the word on. Outlives its tickets.
  using Call = std::function<void(Ticket)>;

  struct Entry {
    Ticket ticket;
    // Nobody is before it, so nobody's leaving will call it: it must try at once, as if called.
    bool is_its_turn;
  };
  // A place at the end, or nothing when `pending_max` are waiting.
  std::optional<Entry> enter(const Call& call, size_t pending_max);
  void leave(Ticket ticket);

  // To be asked before a try, and told after one that was in vain: false when it must try again.
  uint64_t calls() const;
  bool rest(Ticket ticket, uint64_t calls_before_try);

  // A place has become free, by a sequentially consistent change of a count: the first in line
  // should try.
  void call_next() {
    if (waiting() > 0) call_first();
  }
  // The same after any other change.
  void call_next_after_change() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    call_next();
  }

  // Ordered after whatever the caller has released before, and before what it looks at next.
  size_t waiting() const { return waiting_.load(std::memory_order_seq_cst); }

 private:
  struct Waiter {
    const Call* call;
    bool is_called = false;
  };

  void call_first();

  mutable std::mutex mutex_;
  std::map<Ticket, Waiter> waiters_;  // in the order in which they came
  Ticket next_ticket_ = 0;
  uint64_t calls_ = 0;
  std::atomic<size_t> waiting_{0};
};

}  // namespace sluice
