// One cluster as the control loop sees it: its configuration, its host names and their answers, its
// core Cluster, and who is to be told when its backends change. Lives on the control loop.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
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
  // That many `workers` will serve its clients.
  ClusterControl(Loop& loop, Resolver& resolver, ProcessLog& log, ClusterConfig config,
                 TransitionSink sink, Random random, std::function<void(ClusterControl&)> on_change,
                 size_t workers = 1);

  // As it is now, its backends included.
  const ClusterConfig& config() const { return config_; }
  const std::shared_ptr<Cluster>& cluster() const { return cluster_; }
  const std::vector<BackendSettings>& backends() const { return backends_; }

  // Asks for the addresses of host names that nobody has asked for; answers come by on_change.
  void start_resolving();

  // Whether a host name still waits for its first answer, good or bad.
  bool is_resolving() const;

  // Takes another list of backends in place of this one, and calls on_change. Who stays, under the
  // same name and address, keeps all its state; who is new waits for its first probe while another
  // one is healthy. A host name that stays keeps its addresses, a new one is asked for.
  void replace_backends(std::vector<BackendConfig> backends);

 private:
  // A backend given by host name: each address it has is a backend `name/ip`.
  struct Name {
    BackendConfig config;
    Arrival arrival = Arrival::cold_start;  // of its backends
    std::vector<Address> addresses;
    Duration retry_delay{};
    bool was_asked = false;
    bool was_answered = false;
    std::unique_ptr<Timer> retry;
  };
  // Owned here; an answer looks whether its name is still in the list.
  using Names = std::vector<std::shared_ptr<Name>>;

  Names names_of(const std::vector<BackendConfig>& backends, Arrival arrival);
  std::shared_ptr<Name> make_name(const BackendConfig& backend, Arrival arrival);
  void resolve(const std::shared_ptr<Name>& name);
  void on_answer(Name& name, const Resolver::Answer& answer);
  void apply(Arrival arrival);
  void tell_of_change(const std::vector<std::shared_ptr<Backend>>& before);

  Loop& loop_;
  Resolver& resolver_;
  ProcessLog& log_;
  ClusterConfig config_;
  const std::function<void(ClusterControl&)> on_change_;
  Names names_;
  std::vector<BackendSettings> backends_;
  std::shared_ptr<Cluster> cluster_;
};

using ClusterControls = std::vector<std::unique_ptr<ClusterControl>>;

}  // namespace sluice
