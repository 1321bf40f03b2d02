// Metrics of the listeners and of the sessions that came in there.
#include <vector>

#include "metrics_page.h"

namespace sluice {
namespace {

using prometheus::MetricType;

constexpr MetricKind kConnections{"sluice_listener_connections_total", MetricType::Counter,
                                  "Clients accepted."};
constexpr MetricKind kSessionsActive{"sluice_listener_connections_active", MetricType::Gauge,
                                     "Sessions that have not ended."};
constexpr MetricKind kRejected{
    "sluice_listener_rejected_total", MetricType::Counter,
    "Clients accepted and turned away without a backend: those of sluice_session_ends_total."};
constexpr MetricKind kEnds{"sluice_session_ends_total", MetricType::Counter,
                           "Sessions ended, each once, by reason as in the access log."};
constexpr MetricKind kPauses{
    "sluice_accept_paused_total", MetricType::Counter,
    "Times a worker stopped accepting, so that clients wait in the kernel's queue."};
constexpr MetricKind kDuration{"sluice_session_duration_seconds", MetricType::Histogram,
                               "From accept to end, of sessions that have ended."};
constexpr MetricKind kSessionBytes{
    "sluice_session_bytes", MetricType::Histogram,
    "Bytes of sessions that have ended: received from the client, sent to it."};

struct Facts {
  std::string_view listener;
  ListenerTotals totals;
};

void add_reasons(MetricFamily& ends, MetricFamily& rejected, const Facts& facts) {
  for (size_t i = 0; i < kEndReasonNames.size(); ++i) {
    ends.add({{"listener", facts.listener}, {"reason", kEndReasonNames[i]}}, facts.totals.ends[i]);
  }
  for (const EndReason reason : kRejections) {
    rejected.add({{"listener", facts.listener}, {"reason", name(reason)}},
                 facts.totals.ended(reason));
  }
}

void add_histograms(MetricFamily& durations, MetricFamily& bytes, const Facts& facts) {
  const ListenerTotals& totals = facts.totals;
  durations.add({{"listener", facts.listener}}, kSessionBoundsMs, totals.duration_ms.counts,
                totals.duration_ms.sum, MetricUnit::milliseconds);
  bytes.add({{"listener", facts.listener}, {"direction", "received"}}, kSessionBoundsBytes,
            totals.received.counts, totals.received.sum, MetricUnit::same);
  bytes.add({{"listener", facts.listener}, {"direction", "sent"}}, kSessionBoundsBytes,
            totals.sent.counts, totals.sent.sum, MetricUnit::same);
}

}  // namespace

void collect_listeners(const AdminScope& scope, MetricFamilies& families) {
  MetricFamily connections(kConnections), active(kSessionsActive), rejected(kRejected), ends(kEnds);
  MetricFamily pauses(kPauses), durations(kDuration), bytes(kSessionBytes);
  for (const OpenListener& open : scope.listeners) {
    const Facts facts{open.listener->config().name, open.listener->totals()};
    connections.add({{"listener", facts.listener}}, facts.totals.accepted);
    active.add({{"listener", facts.listener}}, facts.totals.active());
    add_reasons(ends, rejected, facts);
    for (size_t i = 0; i < kPauseCauseNames.size(); ++i) {
      pauses.add({{"listener", facts.listener}, {"why", kPauseCauseNames[i]}},
                 facts.totals.pauses[i]);
    }
    add_histograms(durations, bytes, facts);
  }
  for (MetricFamily* family :
       {&connections, &active, &rejected, &ends, &pauses, &durations, &bytes}) {
    std::move(*family).add_to(families);
  }
}

}  // namespace sluice
