#include "sluice/core/pending_queue.h"

namespace sluice {

std::optional<PendingQueue::Entry> PendingQueue::enter(const Call& call, size_t pending_max) {
  const std::scoped_lock lock(mutex_);
  if (waiters_.size() >= pending_max) return std::nullopt;
  const Entry entry{.ticket = next_ticket_++, .is_its_turn = waiters_.empty()};
  waiters_.emplace(entry.ticket, Waiter{.call = &call, .is_called = entry.is_its_turn});
  waiting_.store(waiters_.size(), std::memory_order_seq_cst);
  // What it looks at next is not older than what those have changed who did not see it.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return entry;
}

void PendingQueue::leave(Ticket ticket) {
  {
    const std::scoped_lock lock(mutex_);
    waiters_.erase(ticket);
    waiting_.store(waiters_.size(), std::memory_order_seq_cst);
  }
  // It may have been called for a place that it did not take, or there may be more than one.
  call_next();
}

uint64_t PendingQueue::calls() const {
  const std::scoped_lock lock(mutex_);
  return calls_;
}

bool PendingQueue::rest(Ticket ticket, uint64_t calls_before_try) {
  const std::scoped_lock lock(mutex_);
  if (calls_ != calls_before_try) return false;
  if (const auto found = waiters_.find(ticket); found != waiters_.end()) {
    found->second.is_called = false;
  }
  return true;
}

void PendingQueue::call_first() {
  const std::scoped_lock lock(mutex_);
  ++calls_;
  if (waiters_.empty()) return;
  auto& [ticket, waiter] = *waiters_.begin();
  if (waiter.is_called) return;
  waiter.is_called = true;
  (*waiter.call)(ticket);
}

}  // namespace sluice
