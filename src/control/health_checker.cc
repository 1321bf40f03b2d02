#include "sluice/control/health_checker.h"

#include <algorithm>

#include "sluice/control/prober.h"

namespace sluice {

HealthChecker::HealthChecker(Loop& loop, Poller& poller, Random random)
    : loop_(loop), poller_(poller), random_(random) {}

HealthChecker::~HealthChecker() = default;

void HealthChecker::watch(const std::shared_ptr<Cluster>& cluster, const ClusterConfig& config,
                          std::span<const BackendSettings> settings) {
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
      const auto its_settings = std::find_if(settings.begin(), settings.end(),
                                             [&backend](const BackendSettings& candidate) {
                                               return candidate.name == backend->name();
                                             });
      std::optional<uint16_t> port = config.health_check->port;
      if (its_settings != settings.end() && its_settings->health_check_port) {
        port = its_settings->health_check_port;
      }
      kept.emplace(key, std::make_unique<Prober>(loop_, poller_, Random(random_.next()), cluster,
                                                 backend, config, port));
    }
  }
  std::erase_if(probers_,
                [&cluster](const auto& entry) { return entry.first.first == cluster->name(); });
  probers_.merge(kept);
}

void HealthChecker::hasten(const std::string& cluster, const std::string& backend) {
  if (const auto found = probers_.find(Key(cluster, backend)); found != probers_.end()) {
    found->second->hasten();
  }
}

size_t HealthChecker::in_flight() const {
  return static_cast<size_t>(std::count_if(probers_.begin(), probers_.end(), [](const auto& entry) {
    return entry.second->is_in_flight();
  }));
}

}  // namespace sluice
