#include "sluice/control/cluster_control.h"

#include <fmt/format.h>

#include <algorithm>
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

}  // namespace

ClusterControl::ClusterControl(Loop& loop, Resolver& resolver, ProcessLog& log,
                               ClusterConfig config, TransitionSink sink, Random random,
                               std::function<void(ClusterControl&)> on_change)
    : loop_(loop),
      resolver_(resolver),
      log_(log),
      config_(std::move(config)),
      on_change_(std::move(on_change)),
      cluster_(std::make_shared<Cluster>(config_.name, std::move(sink), random)) {
  for (const BackendConfig& backend : config_.backends) {
    if (!backend.address.is_name()) continue;
    auto name = std::make_unique<Name>();
    name->config = backend;
    name->retry_delay = kFirstRetryDelay;
    name->retry = std::make_unique<Timer>(loop_, [this, raw = name.get()] { resolve(*raw); });
    names_.push_back(std::move(name));
  }
  unanswered_names_ = names_.size();
  apply();
}

void ClusterControl::start_resolving() {
  for (const auto& name : names_) resolve(*name);
}

void ClusterControl::resolve(Name& name) {
  resolver_.resolve(name.config.address,
                    [this, &name](const Resolver::Answer& answer) { on_answer(name, answer); });
}

void ClusterControl::on_answer(Name& name, const Resolver::Answer& answer) {
  if (!std::exchange(name.was_answered, true)) --unanswered_names_;
  if (answer) {
    name.addresses = *answer;
    apply();
  } else {
    log_.warning("resolve",
                 fmt::format("{} in cluster {}; trying again in {} s", answer.error().message,
                             config_.name, to_ms(name.retry_delay) / 1000));
    name.retry->start(name.retry_delay);
    name.retry_delay = std::min(name.retry_delay * 2, kRetryDelayMax);
  }
  on_change_(*this);
}

void ClusterControl::apply() {
  backends_.clear();
  for (const BackendConfig& backend : config_.backends) {
    if (!backend.address.is_name()) {
      backends_.push_back(to_settings(backend, backend.name, backend.address));
    }
  }
  for (const auto& name : names_) {
    for (const Address& address : name->addresses) {
      backends_.push_back(to_settings(
          name->config, fmt::format("{}/{}", name->config.name, address.host_string()), address));
    }
  }
  cluster_->apply(config_.settings, backends_, Arrival::cold_start, loop_.now());
}

}  // namespace sluice
