#include "maelstrom/served_backends.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "maelstrom/quoted_excerpt.h"

namespace sluice {
namespace {

constexpr std::string_view kType = "backends";

const BackendConfig* find_configured(const std::optional<Config>& config,
                                     const std::string& cluster, const std::string& backend) {
  if (!config) return nullptr;
  const auto of = std::ranges::find(config->clusters, cluster, &ClusterConfig::name);
  if (of == config->clusters.end()) return nullptr;
  const auto found = std::ranges::find(of->backends, backend, &BackendConfig::name);
  return found == of->backends.end() ? nullptr : &*found;
}

BackendConfig to_config(const BackendSettings& settings) {
  return {.name = settings.name,
          .address = settings.address,
          .weight = settings.weight,
          .priority = settings.priority,
          .admin_state = settings.admin_state,
          .health_check_port = settings.health_check_port};
}

}  // namespace

Handled ServedBackends::replace(NodeCluster& cluster, const std::vector<std::string>& names,
                                const Asker& asker) {
  std::vector<BackendConfig> backends;
  for (const std::string& name : names) {
    auto backend = find(cluster, name);
    if (!backend) return tl::unexpected(std::move(backend.error()));
    backends.push_back(std::move(*backend));
  }
  const uint64_t number = next_number_++;
  open_.emplace(number, Open{.client = std::string(asker.source), .msg_id = asker.msg_id});
  served_.replace_backends(cluster.name(), std::move(backends), [this, number] { answer(number); });
  return std::nullopt;
}

// A name of the configuration's list stands for what it says there, also when it has been out of
// the list; one that a host name's answer gave its backend stays at that address from then on.
tl::expected<BackendConfig, Refusal> ServedBackends::find(NodeCluster& cluster,
                                                          const std::string& name) const {
  if (const BackendConfig* configured = find_configured(config_, cluster.name(), name)) {
    return *configured;
  }
  if (const auto known = cluster.core().find(name)) return to_config(known->settings());
  auto address = Address::parse(name);
  if (!address) {
    return refuse(
        ErrorCode::malformed_request,
        fmt::format("no backend of cluster {} is called {}, and it is no address: {}",
                    quoted_excerpt(cluster.name()), quoted_excerpt(name), address.error().message));
  }
  if (!address->is_unix() && address->port() == 0) {
    return refuse(ErrorCode::malformed_request,
                  fmt::format("{}: nobody can connect to port 0", quoted_excerpt(name)));
  }
  BackendConfig backend;
  backend.name = name;
  backend.address = *std::move(address);
  return backend;
}

void ServedBackends::answer(uint64_t number) {
  const auto found = open_.extract(number);
  if (found.empty()) return;
  const Open& open = found.mapped();
  writer_.reply({.source = open.client, .msg_id = open.msg_id}, kType, "");
}

void ServedBackends::end() {
  while (!open_.empty()) answer(open_.begin()->first);
}

}  // namespace sluice
