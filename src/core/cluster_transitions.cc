// The part of Cluster that is transitions: told to the sink once each, with what follows from them,
// and taken note of when they have reached the control loop.
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "cluster_words.h"
#include "sluice/core/cluster.h"

namespace sluice {

void Cluster::change_health(Backend& backend, const HealthChange& change, std::string why,
                            TimePoint now) {
  // Known good for the first time is no recovery at a cold start.
  const bool has_come_back =
      change.from == Health::unhealthy || backend.arrival() == Arrival::later;
  if (change.to == Health::healthy && has_come_back) begin_slow_start(backend, now);
  backend.health_.store(change.to, std::memory_order_relaxed);
  tell_of(backend, {.kind = Transition::Kind::health,
                    .cluster = name_,
                    .backend = backend.name(),
                    .from = sluice::name(change.from),
                    .to = sluice::name(change.to),
                    .why = std::move(why),
                    .at = now,
                    .retry_at = std::nullopt});
}

void Cluster::tell(Backend& backend, const BreakerChange& change, std::string why, TimePoint now) {
  const bool is_closed = change.to == BreakerState::closed;
  if (is_closed) {
    backend.outlier_detector().begin_generation(change.generation);
    begin_slow_start(backend, now);
  }
  tell_of(backend, {.kind = Transition::Kind::breaker,
                    .cluster = name_,
                    .backend = backend.name(),
                    .from = sluice::name(change.from),
                    .to = sluice::name(change.to),
                    .why = std::move(why),
                    .at = now,
                    .retry_at = change.retry_at});
  // Told last: the one that is ejected in its place is told of later than its own return.
  if (is_closed) close_books_of(backend, change.generation);
}

// Of a removed one nothing: another backend of that name may be there by now, whose state this is
// not.
void Cluster::tell_of(const Backend& backend, Transition transition) {
  if (!backend.is_removed_.load(std::memory_order_relaxed)) sink_(std::move(transition));
}

void Cluster::tell(const PanicChange& change, TimePoint now) {
  constexpr std::string_view kNormal = "normal", kPanic = "panic";
  if (change.is_panic) {
    panics_now_.fetch_add(1, std::memory_order_relaxed);
    panics_.fetch_add(1, std::memory_order_relaxed);
  } else {
    panics_now_.fetch_sub(1, std::memory_order_relaxed);
  }
  sink_({.kind = Transition::Kind::panic,
         .cluster = name_,
         .backend = fmt::format("priority {}", change.priority),
         .from = change.is_panic ? kNormal : kPanic,
         .to = change.is_panic ? kPanic : kNormal,
         .why = fmt::format("{} of {} ready backends are healthy or unknown", change.usable,
                            change.ready),
         .at = now,
         .retry_at = std::nullopt});
}

std::optional<TimePoint> Cluster::announce_half_open(TimePoint now) {
  std::optional<TimePoint> next;
  if (!contents_) return next;
  for (const PriorityLevel& level : contents_->levels) {
    for (const auto& backend : level.backends) {
      // A connect from before a reload may have opened one after breakers were switched off.
      forget_what_is_off(*backend, now);
      backend->breaker().announce_half_open(now, [&](const BreakerChange& change) {
        tell(*backend, change, std::string(kTimeHasCome), now);
      });
      const auto reopens_at = backend->breaker().reopens_at();
      if (reopens_at && (!next || *reopens_at < *next)) next = reopens_at;
    }
  }
  pending().call_next_after_change();
  return next;
}

void Cluster::take_note(const Transition& transition, TimePoint now) {
  if (transition.kind != Transition::Kind::breaker) return;
  const auto found = by_name_.find(transition.backend);
  if (found == by_name_.end()) return;
  found->second->events_.count_transition(transition.to);
  census_.update_breaker(*found->second, transition.to == sluice::name(BreakerState::closed));
  publish_census(now);
}

}  // namespace sluice
