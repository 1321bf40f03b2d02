#include "sluice/proxy/listener_tally.h"

#include <algorithm>
#include <numeric>

namespace sluice {

uint64_t ListenerTotals::active() const {
  // Read one after another while they grow: never below nothing.
  return accepted - std::min(accepted, std::accumulate(ends.begin(), ends.end(), uint64_t{0}));
}

ListenerTotals add_up(const PerWorker<ListenerTally>& tallies) {
  ListenerTotals totals;
  // Ends first: a session ends after it was accepted, and perhaps on another worker.
  for (const ListenerTally& tally : tallies) {
    for (size_t i = 0; i < totals.ends.size(); ++i) totals.ends[i] += tally.ends[i].value();
    tally.duration_ms.add_to(totals.duration_ms);
    tally.received.add_to(totals.received);
    tally.sent.add_to(totals.sent);
  }
  for (const ListenerTally& tally : tallies) {
    totals.accepted += tally.accepted.value();
    for (size_t i = 0; i < totals.pauses.size(); ++i) totals.pauses[i] += tally.pauses[i].value();
  }
  return totals;
}

}  // namespace sluice
