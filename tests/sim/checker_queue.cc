// The checker's part on the queue and on the retry budget.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "checker.h"

namespace sluice::sim {
namespace {

// A place that no connection has left (a breaker's time has come, a weight was set) is found when
// the control loop next looks, once a second.
constexpr Duration kStuckMax = std::chrono::milliseconds(2500);
constexpr uint64_t kBuckets = 16;
constexpr Duration kBucket = std::chrono::milliseconds(625);

}  // namespace

void Checker::entered(const std::optional<PendingQueue::Entry>& entry,
                      const PendingSettings& settings) {
  const bool is_full = pending_.size() >= settings.clients_max;
  if (entry.has_value() == is_full) {
    fail("as many wait as may", fmt::format("{} of {}", pending_.size(), settings.clients_max));
  }
  if (!entry) return;
  if (entry->is_its_turn != pending_.empty()) fail("first come, first served", "on entering");
  pending_[entry->ticket] = entry->is_its_turn;
}

void Checker::called(PendingQueue::Ticket ticket) {
  const bool is_first = !pending_.empty() && pending_.begin()->first == ticket;
  if (!is_first) fail("first come, first served", fmt::format("ticket {} was called", ticket));
  if (is_first && pending_[ticket]) fail("called once", fmt::format("ticket {}", ticket));
  pending_[ticket] = true;
}

void Checker::rested(PendingQueue::Ticket ticket) { pending_[ticket] = false; }

void Checker::left(PendingQueue::Ticket ticket) { pending_.erase(ticket); }

void Checker::check_first_in_line(const ClusterSnapshot* snapshot, const TriedBackends& tried,
                                  TimePoint now) {
  const bool was_freed = std::exchange(was_freed_, false);
  if (snapshot == nullptr || pending_.begin()->second) return stuck_since_.reset();
  look_at_candidates(*snapshot, tried, now);
  const auto is_open_to_it = [](const Candidate& candidate) { return candidate.obstacle.empty(); };
  const bool has_place = std::any_of(candidates_.begin(), candidates_.end(), is_open_to_it);
  const bool may_get_one =
      std::any_of(candidates_.begin(), candidates_.end(), [](const Candidate& candidate) {
        return candidate.obstacle == "has as many connections as it may";
      });
  if (has_strangers() || (!has_place && may_get_one)) return stuck_since_.reset();
  if (!stuck_since_) stuck_since_ = now;
  const bool is_stuck = (was_freed && has_place) || now - *stuck_since_ > kStuckMax;
  if (!is_stuck) return;
  fail("nobody waits while a place is free or none can become so",
       fmt::format("ticket {}, for {} ms", pending_.begin()->first, to_ms(now - *stuck_since_)));
}

// The window counts in buckets of a sixteenth of its length.
bool Checker::is_retry_allowed(const RetryBudgetSettings& settings) const {
  const auto newest = static_cast<uint64_t>(now_.time_since_epoch() / kBucket);
  uint32_t retries = 1;
  uint32_t all = 1;
  for (const Attempts& attempts : attempts_) {
    if (attempts.bucket + kBuckets <= newest) continue;
    retries += attempts.retries;
    all += attempts.first + attempts.retries;
  }
  return retries <= settings.min || retries * 100.0 <= settings.percent * all;
}

void Checker::check_budget(const ClusterSnapshot& snapshot, const Pick& pick) {
  const RetryBudgetSettings& settings = snapshot.settings.retry_budget;
  const bool is_told_over = pick.refusal == Picker::Refusal::over_budget;
  const bool is_over = settings.is_enabled && is_retry_ && !is_retry_allowed(settings);
  if (is_over != is_told_over) {
    fail("retries within their budget", is_over ? "one too many" : "one was refused");
  }
  if (!settings.is_enabled || !pick.backend) return;
  const auto bucket = static_cast<uint64_t>(now_.time_since_epoch() / kBucket);
  if (attempts_.empty() || attempts_.back().bucket != bucket) attempts_.push_back({bucket});
  ++(is_retry_ ? attempts_.back().retries : attempts_.back().first);
  while (attempts_.front().bucket + kBuckets <= bucket) attempts_.pop_front();
}

}  // namespace sluice::sim
