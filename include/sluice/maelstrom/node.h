// The Maelstrom node as a program: messages on stdin and stdout, the routing core in between. With
// a configuration it lives beside a server that fronts the listeners, on that server's control
// loop.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/base/time.h"
#include "sluice/config/config.h"
#include "sluice/core/cluster.h"
#include "sluice/net/loop.h"

namespace sluice {

struct NodeOptions {
  // Its clusters, beside the peers. Those that no server serves are lists of names to the node.
  std::optional<Config> config;
  // Time stands still but for `advance`, and nothing is left to chance.
  bool manual_clock = false;
  // Who carries out `read`, `write` and `cas`, and how long its answer is waited for: less than the
  // second that Maelstrom's clients wait at least.
  std::string service = "lin-kv";
  Duration service_timeout = std::chrono::milliseconds(750);
};

struct NodeDescriptors {
  int input = -1;
  int output = -1;
  int errors = -1;
};

// The clusters that a server in this process serves.
struct ServedClusters {
  std::vector<std::shared_ptr<Cluster>> clusters;
  // Takes this list in place of a cluster's. `on_adopted` is called when no connection goes by the
  // old one any more: later, on the same thread, or never when the server ends first.
  std::function<void(const std::string& cluster, std::vector<BackendConfig> backends,
                     std::function<void()> on_adopted)>
      replace_backends;
};

// The server beside which a node lives. All of it is used on the thread that calls `run`.
struct NodeHost {
  Loop& loop;
  ServedClusters served;
  std::function<void()> run;   // runs the loop until the server has drained
  std::function<void()> stop;  // makes it drain
};

// Runs until the end of input (or SIGTERM or SIGINT, which count as that) and returns the exit
// status of the contract; a host has drained by then. Nothing but messages is written to the
// output; errors go to `errors`. The descriptors stay the caller's, and so does ignoring SIGPIPE: a
// reader that has gone ends the node with an error.
int run_maelstrom_node(const NodeOptions& options, const NodeDescriptors& descriptors,
                       NodeHost* host = nullptr);

}  // namespace sluice
