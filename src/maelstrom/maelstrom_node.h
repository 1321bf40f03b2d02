// A Maelstrom node: the routing core behind JSON messages, in place of connections.
//
//   run_maelstrom_node:  bytes -> MessageFramer -> MessageParser -> MaelstromNode -> lines
//
// `MaelstromNode` is the pure part: it takes parsed messages and the time, and leaves in its Outbox
// what is to be said. It does no I/O and reads no clock. One thread.
//
//   MaelstromNode      before and after `init`; who is addressed
//   +- JoinedNode      one that knows who it is; which message is whose
//      +- PeerRouter       requests forwarded to peers, by the core
//      +- ServiceProxy     requests of a key-value store
//      +- PeerProber       health probes
//      +- ControlMessages  what drives the core by hand
//      +- NodeClusters, Calls, Agenda: clusters, requests under way, what is to be done when
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "maelstrom/joined_node.h"
#include "maelstrom/message.h"
#include "maelstrom/message_writer.h"
#include "maelstrom/outbox.h"
#include "maelstrom/refusal.h"
#include "sluice/base/random.h"
#include "sluice/base/time.h"
#include "sluice/core/cluster.h"
#include "sluice/maelstrom/node.h"

namespace sluice {

class MaelstromNode {
 public:
  // The other nodes are backends up to this many; more in an `init` is a malformed request.
  static constexpr size_t kNodesMax = 10'000;

  // `served` are the clusters of the configuration that a server in this process serves; the node
  // has those of its own that are not among them.
  MaelstromNode(NodeOptions options, TransitionSink sink, Random random,
                ServedClusters served = {});
  MaelstromNode(const MaelstromNode&) = delete;
  MaelstromNode& operator=(const MaelstromNode&) = delete;

  // A reply (a message with `in_reply_to`) that nobody waits for is dropped without a word: to
  // answer it with an error would set two nodes on answering each other for ever. So is, with a
  // complaint, what is addressed to another node.
  void receive(const Message& message, TimePoint now);

  // When run_due() wants to be called, if ever.
  std::optional<TimePoint> next_due() const;
  void run_due(TimePoint now);

  // No more messages will come.
  void end_input(TimePoint now);

  // What is to be said; the reader takes it out.
  Outbox& outbox() { return outbox_; }

 private:
  Answer init(const Message& message, TimePoint now);
  Answer answer_outsider(const Message& message, TimePoint now);
  bool is_for_us(const Message& message);

  const NodeOptions options_;
  const TransitionSink sink_;
  Random random_;
  const ServedClusters served_;
  Outbox outbox_;
  MessageWriter writer_{outbox_};
  std::string id_;  // empty before `init`
  std::unique_ptr<JoinedNode> joined_;
};

}  // namespace sluice
