// Requests forwarded to peers, as connections are to backends: the core picks one, a peer that does
// not answer within connect_timeout (or says that it is unavailable) is a connect failure, and then
// another one is tried, as often and for as long as the cluster's settings allow and the client has
// patience. Each request is answered once, with the answer of the peer whose turn it is or with an
// error: 11 when it was certainly not carried out, 0 when nobody knows. One thread; time comes from
// the agenda.
//
// When all peers that may be tried are at their limits a request waits in the cluster's queue,
// where that is allowed (max_pending), like a connection.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "maelstrom/calls.h"
#include "maelstrom/message_writer.h"
#include "maelstrom/node_cluster.h"
#include "sluice/base/random.h"

namespace sluice {

class PeerRouter {
 public:
  // Below the five seconds after which Maelstrom's clients give up: an answer to a client that has
  // gone is an error there.
  static constexpr Duration kPatience = std::chrono::milliseconds(4500);
  // Of requests that wait for their answers.
  static constexpr size_t kHeldBytesMax = size_t{64} << 20U;

  // Only `nodes` are sent messages: a message to nobody makes Maelstrom deaf to us. A request for
  // another name among the peers (a stand-in that a harness drives by reports, or this node itself)
  // is answered here. All that is borrowed outlives the router.
  PeerRouter(const Names& nodes, NodeCluster& peers, Calls& calls, Agenda& agenda,
             MessageWriter& writer, Random random);
  ~PeerRouter();
  PeerRouter(const PeerRouter&) = delete;
  PeerRouter& operator=(const PeerRouter&) = delete;

  // An `echo` with these members, which the answer has too.
  void forward(const Asker& asker, std::string members, TimePoint now);

  // Lets those try whose turn in the queue has come: at the end of everything that may free a
  // place.
  void serve_called(TimePoint now);

  // No more answers will come, and Calls has ended: refuses those who wait in the queue.
  void end(TimePoint now);

 private:
  struct Request;
  using RequestPtr = std::shared_ptr<Request>;

  void try_next(const RequestPtr& request, TimePoint now);
  bool try_once(const RequestPtr& request, TimePoint now);
  void answer_here(Request& request, Lease lease);
  bool wait_for_place(const RequestPtr& request, TimePoint now);
  void begin_attempt(const RequestPtr& request, Lease lease, TimePoint now);
  void end_attempt(const RequestPtr& request, const Message* answer, TimePoint now);
  ConnectOutcome judge(Request& request, const Message* answer, TimePoint now);
  void refuse(const RequestPtr& request, std::string_view why);

  bool enter_queue(const RequestPtr& request, TimePoint now);
  void leave_queue(const RequestPtr& request, TimePoint now);

  PendingQueue& queue() { return peers_.core().pending(); }

  const Names& nodes_;
  NodeCluster& peers_;
  Calls& calls_;
  Agenda& agenda_;
  MessageWriter& writer_;
  Random random_;
  // Shared with the requests, which may outlive the router on the agenda.
  const std::shared_ptr<size_t> held_bytes_ = std::make_shared<size_t>(0);
  // Those in the queue, and the tickets whose turn has come.
  std::unordered_map<PendingQueue::Ticket, RequestPtr> pending_;
  std::deque<PendingQueue::Ticket> called_;
  const PendingQueue::Call call_;
};

}  // namespace sluice
