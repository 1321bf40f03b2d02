// A cluster as the node sees it: the core's, the node's own view of it to pick by, and the trials
// that `route` gave out. Its backends are names, to which messages go, or (`Owner::server`) the
// addresses that a server in this process connects to. One thread, which then is the server's
// control loop.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <unordered_set>
#include <vector>

#include "maelstrom/agenda.h"
#include "sluice/base/random.h"
#include "sluice/config/config.h"
#include "sluice/core/cluster.h"
#include "sluice/core/picker.h"

namespace sluice {

using Names = std::unordered_set<std::string>;

class NodeCluster {
 public:
  enum class Owner : uint8_t { node, server };
  // What the cluster is like, beside its backends; of a server's cluster only the name counts.
  struct Options {
    ClusterSettings settings;
    std::optional<HealthCheckConfig> health_check = HealthCheckConfig{};
  };

  NodeCluster(std::shared_ptr<Cluster> cluster, Owner owner, Options options, Agenda& agenda,
              Random random);
  NodeCluster(const NodeCluster&) = delete;
  NodeCluster& operator=(const NodeCluster&) = delete;
  ~NodeCluster();

  Cluster& core() { return *cluster_; }
  const std::string& name() const { return cluster_->name(); }
  Owner owner() const { return owner_; }
  const ClusterSettings& settings() const { return picker_.snapshot()->settings; }
  // Nothing: no probes.
  const std::optional<HealthCheckConfig>& health_check() const { return options_.health_check; }

  bool has_backends() const { return !picker_.snapshot()->levels.empty(); }
  // The backends, for the time being.
  std::vector<std::shared_ptr<Backend>> backends() const;

  // Of a cluster of the node's own. Those that stay keep their state; of those that come, the
  // `probed` ones wait for their first probe while another one is healthy.
  void set_backends(const std::vector<BackendSettings>& backends, const Names& probed,
                    TimePoint now);

  // For a client called `key`: those policies that look at the client take it for its address.
  using Pick = tl::expected<Lease, Picker::Refusal>;
  Pick pick(const TriedBackends& tried, std::string_view key, TimePoint now);

  // Picks as a connection would. A trial lasts until its report, or fails after connect_timeout.
  struct Route {
    std::shared_ptr<Backend> backend;
    bool is_trial;
  };
  std::optional<Route> route(std::string_view key, TimePoint now);

  // Feeds one outcome: that of the trial that route() gave out, else that of a connection which is
  // admitted now. Where none would be (the breaker is open, or its trial somebody else's) nothing
  // changes.
  void report(const std::shared_ptr<Backend>& backend, ConnectOutcome outcome, TimePoint now);

 private:
  struct HeldTrial {
    Lease lease;
    Agenda::Place deadline;
  };

  void adopt_snapshot();
  void hold(Lease lease, TimePoint now);
  bool settle_held_trial(const Backend* backend, ConnectOutcome outcome, TimePoint now);

  const std::shared_ptr<Cluster> cluster_;
  const Owner owner_;
  const Options options_;
  Agenda& agenda_;
  Random random_;
  Picker picker_;
  std::map<const Backend*, HeldTrial> held_trials_;
};

// A backend that is just a name.
BackendSettings named_backend(const std::string& name);

}  // namespace sluice
