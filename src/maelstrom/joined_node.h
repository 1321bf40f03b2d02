// What a node is once its `init` has told it who it is: its clusters and all that is done with
// them. Answers requests, now or later, and does by itself what its agenda says. Pure: no I/O, no
// clock. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "maelstrom/agenda.h"
#include "maelstrom/calls.h"
#include "maelstrom/control_messages.h"
#include "maelstrom/message.h"
#include "maelstrom/message_writer.h"
#include "maelstrom/node_clusters.h"
#include "maelstrom/peer_prober.h"
#include "maelstrom/peer_router.h"
#include "maelstrom/served_backends.h"
#include "maelstrom/service_proxy.h"
#include "sluice/maelstrom/node.h"

namespace sluice {

class JoinedNode {
 public:
  struct Identity {
    std::string id;
    std::vector<std::string> node_ids;  // distinct
  };
  // Of one `advance`.
  static constexpr Duration kAdvanceMax = std::chrono::hours(24);
  // Probes begin with the first message after the `init`, which says that a run has begun, or else
  // after this. A message to a node that is not there yet makes Maelstrom deaf to the sender, and
  // it starts and initialises its nodes side by side.
  static constexpr Duration kFirstProbeDelay = std::chrono::seconds(5);

  // All that is borrowed outlives the node.
  JoinedNode(const Identity& identity, const NodeOptions& options, const ServedClusters& served,
             TransitionSink sink, Random random, MessageWriter& writer, TimePoint now);

  // With a manual clock all times given are ignored.
  void receive(const Message& message, TimePoint now);

  // When there is something to do without a message; with a manual clock never.
  std::optional<TimePoint> next_due() const;
  void run_due(TimePoint now);

  // No more messages will come. Whatever waits for one is answered.
  void end_input(TimePoint now);

 private:
  struct Request;

  void answer(const Message& message, TimePoint now);
  Handled handle(const Message& message, TimePoint now);
  Handled topology(const Message& message, TimePoint now);
  Handled echo(const Message& message, TimePoint now);
  Handled proxy(const Message& message, TimePoint now);
  Handled probe(const Message& message, TimePoint now);
  Handled advance(const Message& message, TimePoint now);
  Handled backends(const Message& message, TimePoint now);
  Handled report(const Message& message, TimePoint now);
  Handled route(const Message& message, TimePoint now);
  Handled status(const Message& message, TimePoint now);

  void end_turn(TimePoint now);
  void do_until(TimePoint now);
  TimePoint time(TimePoint now) const { return is_clock_manual_ ? clock_ : now; }

  const bool is_clock_manual_;
  TimePoint clock_{};  // a manual one's
  const Names nodes_;  // this one among them
  const Names others_;
  MessageWriter& writer_;
  Random random_;
  Agenda agenda_;
  Calls calls_;
  NodeClusters clusters_;
  PeerProber prober_;
  PeerRouter router_;
  ServiceProxy service_;
  ServedBackends served_;
  ControlMessages control_;
};

}  // namespace sluice
