// Health probes as messages: asks the backends that are nodes whether they are there, each on its
// own schedule, and tells the cluster, which decides. A probe goes where requests go, so it may be
// the breaker's trial. One thread; time comes from the agenda.
//
// A probe is a `probe`, which only a node of ours answers with `probe_ok`. Another kind of node
// that says it does not know that type (error 10) is there too. Error 11 says that it is not ready
// yet: that is no verdict, and what comes of it is found out by requests.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maelstrom/agenda.h"
#include "maelstrom/calls.h"
#include "maelstrom/node_cluster.h"
#include "sluice/base/random.h"

namespace sluice {

class PeerProber {
 public:
  static constexpr std::string_view kProbeType = "probe";

  // `nodes` may be sent messages, and nobody else is probed.
  PeerProber(Calls& calls, Agenda& agenda, const MessageWriter& writer, Names nodes, Random random);
  ~PeerProber();
  PeerProber(const PeerProber&) = delete;
  PeerProber& operator=(const PeerProber&) = delete;

  // Takes up the cluster's backends as they are now: new ones, and those that are gone. The cluster
  // outlives the prober.
  void watch(NodeCluster& cluster, TimePoint now);

  // From now on probes go out. Before, nobody knows whether the other nodes are there yet.
  void begin(TimePoint now);

  // Brings the next probe of a backend forward, whose breaker has opened: probes may earn it an
  // early trial.
  void hasten(const NodeCluster& cluster, const std::string& backend, TimePoint now);

 private:
  using Key = std::pair<const NodeCluster*, std::string>;  // and the backend's name
  struct Slot;

  void plan(const std::shared_ptr<Slot>& slot, TimePoint at);
  void plan_next(const std::shared_ptr<Slot>& slot, TimePoint now);
  void probe(const std::shared_ptr<Slot>& slot, TimePoint now);
  void finish(const std::shared_ptr<Slot>& slot, const Message* answer, TimePoint now);
  void remove(Slot& slot, TimePoint now);
  Duration interval(const Slot& slot, TimePoint now);

  Calls& calls_;
  Agenda& agenda_;
  const MessageWriter& writer_;
  const Names nodes_;
  Random random_;
  std::vector<NodeCluster*> clusters_;
  std::map<Key, std::shared_ptr<Slot>> slots_;
  bool has_begun_ = false;
};

}  // namespace sluice
