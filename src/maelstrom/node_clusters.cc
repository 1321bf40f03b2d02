#include "maelstrom/node_clusters.h"

#include <fmt/format.h>

#include <algorithm>

#include "maelstrom/quoted_excerpt.h"

namespace sluice {
namespace {

constexpr Duration kOutlierInterval = std::chrono::seconds(1);

NodeCluster::Options options_of(const ClusterConfig& config) {
  return {.settings = config.settings, .health_check = config.health_check};
}

const ClusterConfig* find_cluster(const NodeOptions& options, std::string_view name) {
  if (!options.config) return nullptr;
  const auto found = std::ranges::find(options.config->clusters, name, &ClusterConfig::name);
  return found == options.config->clusters.end() ? nullptr : &*found;
}

// Backends that are names, whatever the addresses.
std::vector<BackendSettings> backends_of(const ClusterConfig& config) {
  std::vector<BackendSettings> backends;
  for (const BackendConfig& backend : config.backends) {
    BackendSettings settings = named_backend(backend.name);
    settings.weight = backend.weight;
    settings.priority = backend.priority;
    settings.admin_state = backend.admin_state;
    backends.push_back(std::move(settings));
  }
  return backends;
}

}  // namespace

NodeClusters::NodeClusters(const NodeOptions& options,
                           const std::vector<std::shared_ptr<Cluster>>& of_server,
                           TransitionSink sink, Agenda& agenda, Random random, TimePoint now)
    : has_config_(options.config.has_value()),
      is_clock_manual_(options.manual_clock),
      sink_(std::move(sink)),
      agenda_(agenda),
      random_(random) {
  const ClusterConfig* peers = find_cluster(options, kPeers);
  const bool are_peers_configured = peers != nullptr && peers->backends.empty();
  if (has_config_) {
    for (const ClusterConfig& config : options.config->clusters) {
      if (are_peers_configured && config.name == kPeers) continue;
      const auto served = std::ranges::find(of_server, config.name, &Cluster::name);
      if (served == of_server.end()) {
        add_configured(config, now);
      } else {
        clusters_.push_back(std::make_unique<NodeCluster>(*served, NodeCluster::Owner::server,
                                                          NodeCluster::Options{}, agenda_,
                                                          Random(random_.next())));
      }
    }
  }
  peers_ =
      &add(std::string(kPeers), are_peers_configured ? options_of(*peers) : NodeCluster::Options{});
  for (const auto& cluster : clusters_) {
    if (cluster->owner() == NodeCluster::Owner::node) judge_outliers(*cluster, now);
  }
}

void NodeClusters::add_configured(const ClusterConfig& config, TimePoint now) {
  add(config.name, options_of(config)).set_backends(backends_of(config), {}, now);
}

NodeCluster& NodeClusters::add(std::string name, NodeCluster::Options options) {
  if (is_clock_manual_) {
    // Who moves the clock wants to know what happens when.
    options.settings.circuit_breaker.jitter = 0;
    if (options.health_check) options.health_check->jitter = 0;
  }
  const auto sink = [this, index = clusters_.size()](const Transition& transition) {
    sink_(transition);
    news_.emplace_back(index, transition);
  };
  const auto cluster = std::make_shared<Cluster>(std::move(name), sink, Random(random_.next()));
  clusters_.push_back(std::make_unique<NodeCluster>(
      cluster, NodeCluster::Owner::node, std::move(options), agenda_, Random(random_.next())));
  return *clusters_.back();
}

tl::expected<NodeCluster*, Refusal> NodeClusters::named_by(const Message& message) const {
  if (!has_config_) return peers_;
  const auto name = message.string("cluster");
  if (!name) {
    return refuse(ErrorCode::malformed_request, "the string 'cluster' must name a cluster");
  }
  for (const auto& cluster : clusters_) {
    if (cluster->name() == *name) return cluster.get();
  }
  return refuse(ErrorCode::malformed_request,
                fmt::format("there is no cluster {}", quoted_excerpt(*name)));
}

void NodeClusters::follow_up(TimePoint now, OnOpening on_opening) {
  // What is done about news may bring more.
  for (size_t i = 0; i < news_.size(); ++i) {
    const auto [index, transition] = news_[i];
    NodeCluster& cluster = *clusters_[index];
    cluster.core().take_note(transition, now);
    if (transition.kind != Transition::Kind::breaker || !transition.retry_at) continue;
    on_opening(cluster, transition.backend);
    agenda_.add(*transition.retry_at,
                [&cluster](TimePoint due) { cluster.core().announce_half_open(due); });
  }
  news_.clear();
}

// Again and again, where the cluster has use for it.
void NodeClusters::judge_outliers(NodeCluster& cluster, TimePoint now) {
  if (!cluster.settings().outlier_detection.is_statistical()) return;
  cluster.core().judge_outliers(now);
  agenda_.add(now + kOutlierInterval,
              [this, &cluster](TimePoint due) { judge_outliers(cluster, due); });
}

}  // namespace sluice
