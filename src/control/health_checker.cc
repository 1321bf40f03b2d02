#include "sluice/control/health_checker.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "sluice/control/prober.h"

namespace sluice {
namespace {

// A connect that begins and ends costs some 50 us: a turn with these stays well below 10 ms.
constexpr int kBeginsPerTurnMax = 32;

}  // namespace

HealthChecker::HealthChecker(Loop& loop, Poller& poller, Random random)
    : loop_(loop),
      poller_(poller),
      schedule_(random),
      due_(loop, [this] { more_due_.start(); }),
      more_due_(loop, [this] { begin_due(); }) {}

HealthChecker::~HealthChecker() = default;

void HealthChecker::watch(const std::shared_ptr<Cluster>& cluster, const ClusterConfig& config,
                          std::span<const BackendSettings> settings) {
  std::unordered_map<std::string_view, std::optional<uint16_t>> ports;
  for (const BackendSettings& backend : settings) {
    ports.emplace(backend.name, backend.health_check_port);
  }
  std::map<Key, std::unique_ptr<Prober>> kept;
  const auto snapshot = cluster->snapshot();
  for (const PriorityLevel& level : snapshot->levels) {
    for (const std::shared_ptr<Backend>& backend : level.backends) {
      if (!config.health_check) continue;
      const Key key(cluster->name(), backend->name());
      if (auto existing = probers_.extract(key);
          !existing.empty() && &existing.mapped()->backend() == backend.get()) {
        kept.insert(std::move(existing));
        continue;
      }
      const auto own = ports.find(backend->name());
      const bool has_own_port = own != ports.end() && own->second;
      auto prober = std::make_unique<Prober>(loop_, poller_, schedule_, cluster, backend, config,
                                             has_own_port ? own->second : config.health_check->port,
                                             [this](Prober& rested) { plan_next(rested); });
      schedule_.begin(*prober, loop_.now());
      kept.emplace(key, std::move(prober));
    }
  }
  std::erase_if(probers_,
                [&cluster](const auto& entry) { return entry.first.first == cluster->name(); });
  probers_.merge(kept);
  wake_when_due();
}

void HealthChecker::begin_due() {
  for (int begun = 0; begun < kBeginsPerTurnMax; ++begun) {
    ProbeSlot* slot = schedule_.take_due(loop_.now());
    if (slot == nullptr) {
      more_due_.stop();
      wake_when_due();
      return;
    }
    static_cast<Prober*>(slot)->begin();
  }
}

void HealthChecker::plan_next(Prober& prober) {
  schedule_.plan_next(prober, prober.wanted_interval(), prober.jitter(), loop_.now());
  wake_when_due();
}

void HealthChecker::wake_when_due() {
  const auto next = schedule_.next_due();
  if (!next || (due_.is_running() && wakes_at_ <= *next)) return;
  wakes_at_ = std::max(*next, loop_.now());
  due_.start(wakes_at_ - loop_.now());
}

void HealthChecker::hasten(const std::string& cluster, const std::string& backend) {
  const auto found = probers_.find(Key(cluster, backend));
  if (found == probers_.end()) return;
  Prober& prober = *found->second;
  schedule_.hasten(prober, prober.wanted_interval(), prober.jitter(), loop_.now());
  wake_when_due();
}

size_t HealthChecker::in_flight() const {
  return static_cast<size_t>(std::count_if(probers_.begin(), probers_.end(), [](const auto& entry) {
    return entry.second->is_in_flight();
  }));
}

}  // namespace sluice
