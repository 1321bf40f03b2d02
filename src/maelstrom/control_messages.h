// The messages by which a harness drives the core: `backends`, `report`, `route` and `status`. Each
// changes or asks what a connection would, and is answered at once, but for the list of a cluster
// that a server serves. One thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "maelstrom/message.h"
#include "maelstrom/node_clusters.h"
#include "maelstrom/refusal.h"
#include "maelstrom/served_backends.h"

namespace sluice {

class ControlMessages {
 public:
  // More backends in a message are refused.
  static constexpr size_t kBackendsMax = 10'000;

  // `on_backends` is called after each change of a cluster's list. `probed` are the backends that
  // will get a health probe.
  ControlMessages(NodeClusters& clusters, ServedBackends& served, const Names& probed,
                  std::function<void(NodeCluster&, TimePoint)> on_backends);

  Handled backends(const Message& message, TimePoint now);
  Answer report(const Message& message, TimePoint now);
  Answer route(const Message& message, TimePoint now);
  Answer status(const Message& message, TimePoint now);

 private:
  NodeClusters& clusters_;
  ServedBackends& served_;
  const Names& probed_;
  const std::function<void(NodeCluster&, TimePoint)> on_backends_;
};

// The strings of an array, each once, in the order given; nothing when it is something else or has
// one that is empty or longer than a name may be.
std::optional<std::vector<std::string>> distinct_names(const BodyField* field);

}  // namespace sluice
