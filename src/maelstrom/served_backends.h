// The lists of backends of clusters that a server in this process serves, as `backends` messages
// replace them. Their members are addresses, or names that such a list has had; the server does
// the rest. A message is answered when no connection goes by the old list any more. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "maelstrom/message_writer.h"
#include "maelstrom/node_cluster.h"
#include "maelstrom/refusal.h"
#include "sluice/config/config.h"
#include "sluice/maelstrom/node.h"

namespace sluice {

class ServedBackends {
 public:
  // All that is borrowed outlives this and what the server calls back.
  ServedBackends(const std::optional<Config>& config, const ServedClusters& served,
                 MessageWriter& writer)
      : config_(config), served_(served), writer_(writer) {}
  ServedBackends(const ServedBackends&) = delete;
  ServedBackends& operator=(const ServedBackends&) = delete;

  // Refuses the whole list when one of it is neither a name nor an address; else it is answered
  // later.
  Handled replace(NodeCluster& cluster, const std::vector<std::string>& names, const Asker& asker);

  // The server may not come to answer any more: the lists are in place, and that is said.
  void end();

 private:
  struct Open {
    std::string client;
    std::optional<int64_t> msg_id;
  };

  tl::expected<BackendConfig, Refusal> find(NodeCluster& cluster, const std::string& name) const;
  void answer(uint64_t number);

  const std::optional<Config>& config_;
  const ServedClusters& served_;
  MessageWriter& writer_;
  std::map<uint64_t, Open> open_;  // in the order asked
  uint64_t next_number_ = 0;
};

}  // namespace sluice
