#include "maelstrom/peer_prober.h"

#include <algorithm>

#include "sluice/core/probe_schedule.h"

namespace sluice {
namespace {

constexpr std::string_view kPassed = "passed", kTimeout = "timeout", kMismatch = "mismatch";

struct Verdict {
  std::string_view result;
  bool passed = false;
  bool is_inconclusive = false;
};

Verdict judge(const Message* answer) {
  if (answer == nullptr) return {.result = kTimeout};
  if (answer->type == "probe_ok") return {.result = kPassed, .passed = true};
  const auto code = answer->type == "error" ? answer->integer("code") : std::nullopt;
  if (code == static_cast<int64_t>(ErrorCode::not_supported)) {
    return {.result = kPassed, .passed = true};
  }
  const bool is_not_ready = code == static_cast<int64_t>(ErrorCode::unavailable);
  return {.result = kMismatch, .is_inconclusive = is_not_ready};
}

}  // namespace

// One backend that is probed. Shared with what is to be done about it, which may outlive it.
struct PeerProber::Slot {
  NodeCluster* cluster = nullptr;
  std::shared_ptr<Backend> backend;
  std::optional<Agenda::Place> due;  // nothing while a probe is under way, or none has been planned
  TimePoint began_at{};
  std::optional<Permit> permit;
  bool is_in_flight = false;
  bool has_failed_last = false;
  bool is_removed = false;
};

PeerProber::PeerProber(Calls& calls, Agenda& agenda, const MessageWriter& writer, Names nodes,
                       Random random)
    : calls_(calls), agenda_(agenda), writer_(writer), nodes_(std::move(nodes)), random_(random) {}

PeerProber::~PeerProber() {
  for (const auto& [key, slot] : slots_) remove(*slot, TimePoint());
}

void PeerProber::watch(NodeCluster& cluster, TimePoint now) {
  if (std::ranges::find(clusters_, &cluster) == clusters_.end()) clusters_.push_back(&cluster);
  std::map<Key, std::shared_ptr<Slot>> kept;
  for (const std::shared_ptr<Backend>& backend : cluster.backends()) {
    if (!cluster.health_check() || !nodes_.contains(backend->name())) continue;
    const Key key(&cluster, backend->name());
    const auto known = slots_.find(key);
    if (known != slots_.end() && known->second->backend == backend) {
      kept.insert(slots_.extract(known));
      continue;
    }
    auto slot = std::make_shared<Slot>();
    slot->cluster = &cluster;
    slot->backend = backend;
    kept.emplace(key, slot);
    if (has_begun_) plan(slot, now);
  }
  std::erase_if(slots_, [&](const auto& entry) {
    const bool is_gone = entry.first.first == &cluster;
    if (is_gone) remove(*entry.second, now);
    return is_gone;
  });
  slots_.merge(kept);
}

void PeerProber::begin(TimePoint now) {
  if (std::exchange(has_begun_, true)) return;
  for (const NodeCluster* cluster : clusters_) {
    // In the order of the list, not of the names.
    for (const std::shared_ptr<Backend>& backend : cluster->backends()) {
      const auto found = slots_.find(Key(cluster, backend->name()));
      if (found != slots_.end()) plan(found->second, now);
    }
  }
}

void PeerProber::hasten(const NodeCluster& cluster, const std::string& backend, TimePoint now) {
  const auto found = slots_.find(Key(&cluster, backend));
  if (found == slots_.end() || !found->second->due) return;
  const std::shared_ptr<Slot>& slot = found->second;
  const TimePoint soon = now + interval(*slot, now);
  if (soon >= slot->due->at) return;
  agenda_.cancel(*slot->due);
  plan(slot, soon);
}

void PeerProber::plan(const std::shared_ptr<Slot>& slot, TimePoint at) {
  slot->due = agenda_.add(at, [this, slot](TimePoint now) { probe(slot, now); });
}

// Counted from when the last one went out; what was missed meanwhile is left out.
void PeerProber::plan_next(const std::shared_ptr<Slot>& slot, TimePoint now) {
  const Duration step = std::max(interval(*slot, now), Duration(std::chrono::milliseconds(1)));
  const auto missed = std::max<Duration::rep>(0, (now - slot->began_at - Duration(1)) / step);
  plan(slot, slot->began_at + step * (missed + 1));
}

void PeerProber::probe(const std::shared_ptr<Slot>& slot, TimePoint now) {
  slot->due.reset();
  slot->began_at = now;
  // To write more to a reader that does not read would help nobody.
  if (writer_.is_reader_behind() || !calls_.may_call()) return plan_next(slot, now);
  slot->permit = slot->cluster->core().admit_probe(*slot->backend, now);
  slot->is_in_flight = true;
  calls_.call(slot->backend->name(), kProbeType, "", now + slot->cluster->health_check()->timeout,
              [this, slot](const Message* answer, TimePoint ended) {
                if (!slot->is_removed) finish(slot, answer, ended);
              });
}

void PeerProber::finish(const std::shared_ptr<Slot>& slot, const Message* answer, TimePoint now) {
  Verdict verdict = judge(answer);
  if (calls_.has_ended()) verdict.is_inconclusive = true;
  slot->is_in_flight = false;
  if (!verdict.is_inconclusive) slot->has_failed_last = !verdict.passed;
  slot->cluster->core().record_probe(*slot->backend,
                                     {.began_at = slot->began_at,
                                      .passed = verdict.passed,
                                      .result = verdict.result,
                                      .permit = std::exchange(slot->permit, std::nullopt),
                                      .is_inconclusive = verdict.is_inconclusive},
                                     now);
  plan_next(slot, now);
}

void PeerProber::remove(Slot& slot, TimePoint now) {
  slot.is_removed = true;
  if (slot.due) agenda_.cancel(*slot.due);
  if (!slot.permit) return;
  slot.cluster->core().record_probe(*slot.backend,
                                    {.began_at = slot.began_at,
                                     .result = kTimeout,
                                     .permit = slot.permit,
                                     .is_inconclusive = true},
                                    now);
}

// As probes of connections go.
Duration PeerProber::interval(const Slot& slot, TimePoint now) {
  const HealthCheckConfig& config = *slot.cluster->health_check();
  const ProbeIntervals intervals{.healthy = config.interval,
                                 .unhealthy = config.unhealthy_interval};
  const Duration interval = probe_interval(intervals, slot.backend->health(), slot.has_failed_last,
                                           slot.backend->breaker().state(now));
  return random_.jittered(interval, config.jitter);
}

}  // namespace sluice
