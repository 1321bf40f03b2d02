// What the admin side sees of the running server, and may do with it. What is referred to here
// outlives the admin side; control loop only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/config.h"
#include "sluice/control/cluster_control.h"
#include "sluice/control/process_log.h"
#include "sluice/control/server_logs.h"
#include "sluice/net/loop.h"
#include "sluice/net/mailbox.h"
#include "sluice/net/poller.h"
#include "sluice/proxy/connection_limit.h"
#include "sluice/proxy/listener.h"
#include "sluice/proxy/worker.h"
#include "sluice/proxy/worker_spread.h"

namespace sluice {

enum class ServingState : uint8_t { starting, accepting, draining };

constexpr std::string_view name(ServingState state) {
  switch (state) {
    case ServingState::starting:
      return "starting";
    case ServingState::accepting:
      return "accepting";
    case ServingState::draining:
      return "draining";
  }
  return "";
}

struct AdminScope {
  Loop& loop;
  Mailbox& mailbox;
  Poller& poller;
  ProcessLog& log;
  const Config& config;
  const ClusterControls& clusters;
  const std::vector<OpenListener>& listeners;
  const std::vector<std::unique_ptr<Worker>>& workers;
  const WorkerSpread& spread;
  const ConnectionLimit& process_limit;
  uint32_t connections_max = 0;

  std::function<ServingState()> state;
  std::function<void()> drain;  // as SIGTERM does it, in a later turn of the loop
  // The workers must see a cluster's backends anew, because a weight has changed.
  std::function<void(ClusterControl&)> publish;
  std::function<void()> keep;  // something changed that is to outlive a restart
  std::function<std::vector<NamedLoss>()> log_losses;
};

}  // namespace sluice
