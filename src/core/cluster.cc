#include "sluice/core/cluster.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "maglev_table.h"

namespace sluice {
namespace {

// Of the length of a slow start, in percent, for each process: a fleet does not come back in step.
constexpr double kSlowStartJitter = 10;
constexpr std::string_view kByOperator = "by an operator";

}  // namespace

Cluster::Cluster(std::string name, TransitionSink sink, Random random, size_t workers)
    : name_(std::move(name)),
      sink_(std::move(sink)),
      workers_(workers),
      tallies_(workers),
      random_(random),
      slow_start_stretch_(random_.jittered(std::chrono::seconds(1), kSlowStartJitter)) {}

std::shared_ptr<const ClusterSnapshot> Cluster::apply(const ClusterSettings& settings,
                                                      std::span<const BackendSettings> backends,
                                                      Arrival arrival, TimePoint now) {
  auto known = std::exchange(by_name_, {});
  std::map<uint32_t, PriorityLevel> levels;
  std::vector<std::shared_ptr<Backend>> arrived;  // in a cluster that has been running
  for (const BackendSettings& wanted : backends) {
    const auto found = known.find(wanted.name);
    const bool stays = found != known.end() && found->second->address() == wanted.address;
    auto backend =
        stays ? found->second : std::make_shared<Backend>(wanted, arrival, load_, workers_);
    if (stays) known.erase(found);
    if (!stays && arrival == Arrival::later) arrived.push_back(backend);
    update_backend(*backend, wanted);
    levels[wanted.priority].backends.push_back(std::move(backend));
  }
  contents_ = make_contents(settings, std::move(levels));
  for (const auto& [gone, backend] : known) {
    backend->is_removed_.store(true);
    close_books_of(*backend, std::nullopt);
  }
  for (const PriorityLevel& level : contents_->levels) {
    for (const auto& backend : level.backends) {
      by_name_.emplace(backend->name(), backend);
      set_up_outlier_detection(*backend);
      forget_what_is_off(*backend, now);
    }
  }
  set_slow_start(settings.slow_start, now);
  if (!settings.has_probes) {
    for (const auto& backend : arrived) begin_slow_start(*backend, now);
  }
  census_.take(*contents_);
  publish_census(now);
  return snapshot();
}

std::shared_ptr<const ClusterSnapshot> Cluster::make_contents(
    const ClusterSettings& settings, std::map<uint32_t, PriorityLevel>&& levels) {
  auto contents = std::make_shared<ClusterSnapshot>();
  contents->cluster = this;
  contents->settings = settings;
  for (auto& [priority, level] : levels) {
    level.priority = priority;
    level.in_panic = census_.panic_flag(priority);
    if (settings.balance.policy == BalancePolicy::maglev) level.maglev_table = maglev_table(level);
    level.share_up_to = census_.share_up_to(priority);
    contents->levels.push_back(std::move(level));
  }
  return contents;
}

// The last one when it still holds: a host name that is resolved again mostly says the same.
std::shared_ptr<const MaglevTable> Cluster::maglev_table(const PriorityLevel& level) const {
  if (contents_) {
    for (const PriorityLevel& last : contents_->levels) {
      if (last.maglev_table && last.maglev_table->is_of(level.backends)) return last.maglev_table;
    }
  }
  return std::make_shared<const MaglevTable>(level.backends);
}

// Weights may have changed since they were made.
void Cluster::renew_tables() {
  if (contents_->settings.balance.policy != BalancePolicy::maglev) return;
  const auto is_current = [](const PriorityLevel& level) {
    return level.maglev_table->is_of(level.backends);
  };
  if (std::all_of(contents_->levels.begin(), contents_->levels.end(), is_current)) return;
  auto renewed = std::make_shared<ClusterSnapshot>(*contents_);
  for (PriorityLevel& level : renewed->levels) level.maglev_table = maglev_table(level);
  contents_ = std::move(renewed);
}

void Cluster::update_backend(Backend& backend, const BackendSettings& settings) {
  if (settings.weight != backend.settings_.weight) backend.set_weight(settings.weight);
  if (settings.admin_state != backend.settings_.admin_state) {
    backend.admin_state_.store(settings.admin_state, std::memory_order_relaxed);
  }
  backend.settings_ = settings;
}

void Cluster::forget_what_is_off(Backend& backend, TimePoint now) {
  if (!contents_->settings.has_probes) {
    if (const auto change = backend.health_tracker_.reset()) {
      change_health(backend, *change, "health_check is off", now);
    }
  }
  if (!contents_->settings.circuit_breaker.is_enabled) {
    backend.breaker().reset(
        [&](const BreakerChange& change) { tell(backend, change, "circuit_breaker is off", now); });
  }
  end_ejection_that_is_off(backend, now);
}

std::shared_ptr<const ClusterSnapshot> Cluster::snapshot() {
  if (!contents_) return nullptr;
  renew_tables();
  // The contents do not own the cluster that owns them; whoever gets this handle owns both.
  struct Handle {
    std::shared_ptr<Cluster> cluster;
    std::shared_ptr<const ClusterSnapshot> contents;
  };
  const auto handle = std::make_shared<Handle>(Handle{shared_from_this(), contents_});
  return {handle, handle->contents.get()};
}

std::shared_ptr<Backend> Cluster::find(std::string_view backend) const {
  const auto found = by_name_.find(backend);
  return found == by_name_.end() ? nullptr : found->second;
}

void Cluster::set_admin_state(Backend& backend, AdminState state, TimePoint now) {
  backend.admin_state_.store(state, std::memory_order_relaxed);
  census_.update(backend);
  publish_census(now);
}

void Cluster::set_weight(Backend& backend, uint32_t weight, TimePoint now) {
  backend.set_weight(weight);
  census_.update(backend);
  publish_census(now);
}

bool Cluster::trip(Backend& backend, TimePoint now) {
  if (!contents_ || !contents_->settings.circuit_breaker.is_enabled) return false;
  CircuitBreaker& breaker = backend.breaker();
  const bool has_opened = breaker.trip(
      breaker.generation(), now, contents_->settings.circuit_breaker, random_,
      [&](const BreakerChange& change) { tell(backend, change, std::string(kByOperator), now); });
  if (has_opened) pending().call_next_after_change();
  return has_opened;
}

bool Cluster::reset(Backend& backend, TimePoint now) {
  CircuitBreaker& breaker = backend.breaker();
  if (breaker.is_closed().value_or(false)) {
    const bool has_failures = backend.outlier_detector().consecutive_failures() > 0;
    backend.outlier_detector().begin_generation(breaker.generation());
    return has_failures;
  }
  bool has_closed = false;
  breaker.reset([&](const BreakerChange& change) {
    has_closed = true;
    tell(backend, change, std::string(kByOperator), now);
  });
  if (has_closed) pending().call_next_after_change();
  return has_closed;
}

ClusterTotals Cluster::totals() const {
  ClusterTotals totals;
  for (const ClusterTally& tally : tallies_) {
    totals.retries += tally.retries.value();
    tally.connect_ms.add_to(totals.connect_ms);
  }
  return totals;
}

void Cluster::set_slow_start(const Timeout& slow_start, TimePoint now) {
  const auto stretched = slow_start.value_or(Duration::zero()) * to_ms(slow_start_stretch_) / 1000;
  slow_start_.store(stretched.count(), std::memory_order_relaxed);
  // One that began under a longer setting does not stay at its floor until that would have ended.
  const Duration::rep latest = (now + stretched).time_since_epoch().count();
  for (const PriorityLevel& level : contents_->levels) {
    for (const auto& backend : level.backends) {
      if (backend->full_share_at_.load(std::memory_order_relaxed) > latest) {
        backend->full_share_at_.store(latest, std::memory_order_relaxed);
      }
    }
  }
}

void Cluster::begin_slow_start(Backend& backend, TimePoint now) {
  const Duration slow_start(slow_start_.load(std::memory_order_relaxed));
  backend.full_share_at_.store((now + slow_start).time_since_epoch().count(),
                               std::memory_order_relaxed);
}

void Cluster::publish_census(TimePoint now) {
  healthy_backends_.store(census_.healthy(), std::memory_order_relaxed);
  if (!contents_) return;
  const ClusterSettings& settings = contents_->settings;
  for (const PanicChange& change : census_.judge_panic(settings.panic_threshold)) tell(change, now);
  census_.publish_shares(settings.balance.overprovisioning);
  available_backends_.store(census_.available(), std::memory_order_relaxed);
  pending().call_next_after_change();
}

}  // namespace sluice
