#include "sluice/control/cluster_control.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>

namespace sluice {
namespace {

// A name that did not resolve is asked again after a second, then ever less often.
constexpr Duration kFirstRetryDelay = std::chrono::seconds(1);
constexpr Duration kRetryDelayMax = std::chrono::seconds(30);

BackendSettings to_settings(const BackendConfig& config, std::string name, const Address& address) {
  return {.name = std::move(name),
          .address = address,
          .weight = config.weight,
          .priority = config.priority,
          .admin_state = config.admin_state,
          .health_check_port = config.health_check_port};
}

std::vector<std::shared_ptr<Backend>> backends_of(Cluster& cluster) {
  std::vector<std::shared_ptr<Backend>> backends;
  for (const PriorityLevel& level : cluster.snapshot()->levels) {
    backends.insert(backends.end(), level.backends.begin(), level.backends.end());
  }
  return backends;
}

}  // namespace

ClusterControl::ClusterControl(Loop& loop, Resolver& resolver, ProcessLog& log,
                               ClusterConfig config, TransitionSink sink, Random random,
                               std::function<void(ClusterControl&)> on_change, size_t workers)
    : loop_(loop),
      resolver_(resolver),
      log_(log),
      config_(std::move(config)),
      on_change_(std::move(on_change)),
      cluster_(std::make_shared<Cluster>(config_.name, std::move(sink), random, workers)) {
  names_ = names_of(config_.backends, Arrival::cold_start);
  apply(Arrival::cold_start);
}

ClusterControl::Names ClusterControl::names_of(const std::vector<BackendConfig>& backends,
                                               Arrival arrival) {
  std::map<std::string, std::shared_ptr<Name>> known;
  for (const auto& name : names_) known.emplace(name->config.name, name);
  Names names;
  for (const BackendConfig& backend : backends) {
    if (!backend.address.is_name()) continue;
    const auto found = known.find(backend.name);
    const bool stays = found != known.end() && found->second->config.address == backend.address;
    names.push_back(stays ? found->second : make_name(backend, arrival));
    names.back()->config = backend;
  }
  return names;
}

std::shared_ptr<ClusterControl::Name> ClusterControl::make_name(const BackendConfig& backend,
                                                                Arrival arrival) {
  auto name = std::make_shared<Name>();
  name->config = backend;
  name->arrival = arrival;
  name->retry_delay = kFirstRetryDelay;
  name->retry = std::make_unique<Timer>(loop_, [this, due = std::weak_ptr(name)] {
    if (const auto found = due.lock()) resolve(found);
  });
  return name;
}

void ClusterControl::start_resolving() {
  // An answer may come at once.
  for (const auto& name : Names(names_)) {
    if (!std::exchange(name->was_asked, true)) resolve(name);
  }
}

bool ClusterControl::is_resolving() const {
  return std::any_of(names_.begin(), names_.end(),
                     [](const auto& name) { return !name->was_answered; });
}

void ClusterControl::resolve(const std::shared_ptr<Name>& name) {
  resolver_.resolve(name->config.address,
                    [this, asked = std::weak_ptr(name)](const Resolver::Answer& answer) {
                      if (const auto found = asked.lock()) on_answer(*found, answer);
                    });
}

void ClusterControl::on_answer(Name& name, const Resolver::Answer& answer) {
  name.was_answered = true;
  if (answer) {
    name.addresses = *answer;
    apply(name.arrival);
  } else {
    log_.condition(LogLevel::warning, "resolve",
                   fmt::format("{} {}", config_.name, name.config.name),
                   fmt::format("{} in cluster {}; trying again in {} s", answer.error().message,
                               config_.name, to_ms(name.retry_delay) / 1000));
    name.retry->start(name.retry_delay);
    name.retry_delay = std::min(name.retry_delay * 2, kRetryDelayMax);
  }
  on_change_(*this);
}

void ClusterControl::replace_backends(std::vector<BackendConfig> backends) {
  const auto before = backends_of(*cluster_);
  config_.backends = std::move(backends);
  names_ = names_of(config_.backends, Arrival::later);
  apply(Arrival::later);
  tell_of_change(before);
  on_change_(*this);
  start_resolving();
}

void ClusterControl::apply(Arrival arrival) {
  backends_.clear();
  // A host name may have an address that somebody else is called by.
  std::unordered_set<std::string> names;
  const auto add = [&](BackendSettings settings) {
    if (names.insert(settings.name).second) backends_.push_back(std::move(settings));
  };
  for (const BackendConfig& backend : config_.backends) {
    if (!backend.address.is_name()) add(to_settings(backend, backend.name, backend.address));
  }
  for (const auto& name : names_) {
    for (const Address& address : name->addresses) {
      add(to_settings(name->config, fmt::format("{}/{}", name->config.name, address.host_string()),
                      address));
    }
  }
  cluster_->apply(config_.settings, backends_, arrival, loop_.now());
}

void ClusterControl::tell_of_change(const std::vector<std::shared_ptr<Backend>>& before) {
  const auto after = backends_of(*cluster_);
  const std::unordered_set<std::shared_ptr<Backend>> known(before.begin(), before.end());
  const auto kept = static_cast<size_t>(std::count_if(
      after.begin(), after.end(), [&](const auto& backend) { return known.contains(backend); }));
  log_.info("backends", fmt::format("cluster {} has another list of backends: {} new, {} gone, {} "
                                    "as before",
                                    config_.name, after.size() - kept, before.size() - kept, kept));
}

}  // namespace sluice
