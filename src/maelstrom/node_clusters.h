// All clusters that a node has: its peers, and those of its configuration. Tells of what changes in
// its own ones, and sees to what the core wants to be done on time. One thread.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "maelstrom/agenda.h"
#include "maelstrom/message.h"
#include "maelstrom/node_cluster.h"
#include "maelstrom/refusal.h"
#include "sluice/base/function_ref.h"
#include "sluice/maelstrom/node.h"

namespace sluice {

class NodeClusters {
 public:
  // The peers' name, by which a control message may name them beside those of a configuration. A
  // cluster of this name without backends in the configuration says how the peers are treated.
  static constexpr std::string_view kPeers = "peers";

  NodeClusters(const NodeOptions& options, const std::vector<std::shared_ptr<Cluster>>& of_server,
               TransitionSink sink, Agenda& agenda, Random random, TimePoint now);

  NodeCluster& peers() { return *peers_; }
  const std::vector<std::unique_ptr<NodeCluster>>& all() const { return clusters_; }

  // Which one a control message is about: with a configuration it says so.
  tl::expected<NodeCluster*, Refusal> named_by(const Message& message) const;

  // Follows up what has changed since the last call: at the end of every turn.
  using OnOpening = FunctionRef<void(NodeCluster& cluster, const std::string& backend)>;
  void follow_up(TimePoint now, OnOpening on_opening);

 private:
  NodeCluster& add(std::string name, NodeCluster::Options options);
  void add_configured(const ClusterConfig& config, TimePoint now);
  void judge_outliers(NodeCluster& cluster, TimePoint now);

  const bool has_config_;
  const bool is_clock_manual_;
  const TransitionSink sink_;
  Agenda& agenda_;
  Random random_;
  std::vector<std::unique_ptr<NodeCluster>> clusters_;
  NodeCluster* peers_ = nullptr;
  // Which cluster (of clusters_) and what: the core must not be called back while it tells.
  std::vector<std::pair<size_t, Transition>> news_;
};

}  // namespace sluice
