// One cluster as the control loop sees it: its configuration, its host names and their answers, its
// core Cluster, and who is to be told when its backends change. Lives on the control loop.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "sluice/base/random.h"
#include "sluice/config/config.h"
#include "sluice/control/process_log.h"
#include "sluice/core/cluster.h"
#include "sluice/net/loop.h"
#include "sluice/net/resolver.h"

namespace sluice {

class ClusterControl {
 public:
  // `on_change` is called after each new snapshot but the first, which is there after construction.
  ClusterControl(Loop& loop, Resolver& resolver, ProcessLog& log, ClusterConfig config,
                 TransitionSink sink, Random random,
                 std::function<void(ClusterControl&)> on_change);

  const ClusterConfig& config() const { return config_; }
  const std::shared_ptr<Cluster>& cluster() const { return cluster_; }
  const std::vector<BackendSettings>& backends() const { return backends_; }

  // Asks for the addresses of host names; answers come by on_change.
  void start_resolving();

  // Whether a host name still waits for its first answer, good or bad.
  bool is_resolving() const { return unanswered_names_ > 0; }

 private:
  // A backend given by host name: each address it has is a backend `name/ip`.
  struct Name {
    BackendConfig config;
    std::vector<Address> addresses;
    Duration retry_delay{};
    bool was_answered = false;
    std::unique_ptr<Timer> retry;
  };

  void resolve(Name& name);
  void on_answer(Name& name, const Resolver::Answer& answer);
  void apply();

  Loop& loop_;
  Resolver& resolver_;
  ProcessLog& log_;
  const ClusterConfig config_;
  const std::function<void(ClusterControl&)> on_change_;
  std::vector<std::unique_ptr<Name>> names_;
  size_t unanswered_names_ = 0;
  std::vector<BackendSettings> backends_;
  std::shared_ptr<Cluster> cluster_;
};

}  // namespace sluice
