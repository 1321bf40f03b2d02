#include "sluice/core/backend.h"

#include <algorithm>

namespace sluice {
namespace {

// A slow start begins with this much of the share: with nothing, nobody would find out how it does.
constexpr double kShareMin = 0.1;

// Adds one, unless that would be more than `most`.
bool try_increment(std::atomic<uint32_t>& count, std::optional<uint32_t> most) {
  if (!most) {
    count.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  // Sequentially consistent with remove_connection(): see PendingQueue::waiting().
  uint32_t seen = count.load(std::memory_order_seq_cst);
  while (seen < *most) {
    if (count.compare_exchange_weak(seen, seen + 1, std::memory_order_seq_cst)) return true;
  }
  return false;
}

}  // namespace

void Backend::add_connection() { try_add_connection({}); }

bool Backend::try_add_connection(const ConnectionLimits& limits) {
  // Looked at before anything is taken: giving back calls whoever waits, who may be the caller and
  // would try, take and give back for ever. After this look it happens only when another has got in
  // between.
  const bool is_full =
      limits.of_backend && active_.load(std::memory_order_seq_cst) >= *limits.of_backend;
  if (is_full) return false;
  if (!try_increment(load_->connections, limits.of_cluster)) return false;
  if (try_increment(active_, limits.of_backend)) return true;
  load_->connections.fetch_sub(1, std::memory_order_seq_cst);
  // Whoever saw the place taken meanwhile may have it now.
  load_->pending.call_next();
  return false;
}

void Backend::remove_connection() {
  active_.fetch_sub(1, std::memory_order_seq_cst);
  load_->connections.fetch_sub(1, std::memory_order_seq_cst);
  load_->pending.call_next();
}

double Backend::share(TimePoint now, Duration slow_start) const {
  const TimePoint full_at(Duration(full_share_at_.load(std::memory_order_relaxed)));
  if (now >= full_at || slow_start <= Duration::zero()) return 1;
  const double left = static_cast<double>((full_at - now).count());
  return std::clamp(1 - left / static_cast<double>(slow_start.count()), kShareMin, 1.0);
}

BackendTotals Backend::totals() const {
  BackendTotals totals;
  for (const BackendTally& tally : tallies_) {
    totals.received += tally.received.value();
    totals.sent += tally.sent.value();
    tally.connect_ms.add_to(totals.connect_ms);
  }
  return totals;
}

}  // namespace sluice
