// A Maelstrom node: the routing core behind JSON messages, in place of connections.
//
//   run_maelstrom_node:  bytes -> MessageFramer -> MessageParser -> MaelstromNode -> lines
//
// `MaelstromNode` is the pure part: it takes a parsed message and the time, and leaves in an Outbox
// what is to be said. It does no I/O and reads no clock. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "sluice/base/random.h"
#include "sluice/base/time.h"
#include "sluice/config/config.h"
#include "sluice/core/cluster.h"

namespace sluice {

struct Message;

struct NodeOptions {
  // Its clusters, whose backends are called by their names; without it, the peers are the one
  // cluster.
  std::optional<Config> config;
  bool manual_clock = false;
};

// What a node wants said after a message.
struct Outbox {
  std::vector<std::string> lines;       // replies, without their newlines
  std::vector<std::string> complaints;  // about the message: for stderr
};

class MaelstromNode {
 public:
  // The other nodes are backends up to this many; more in an `init` is a malformed request.
  static constexpr size_t kNodesMax = 10'000;

  MaelstromNode(NodeOptions options, TransitionSink sink, Random random);

  // A reply (a message with `in_reply_to`) that nobody waits for is dropped without a word: to
  // answer it with an error would set two nodes on answering each other for ever. So is, with a
  // complaint, what is addressed to another node.
  void receive(const Message& message, TimePoint now, Outbox& outbox);

 private:
  // Maelstrom's numbers for them.
  enum class ErrorCode : uint8_t { not_supported = 10, unavailable = 11, malformed_request = 12 };
  struct Refusal {
    ErrorCode code;
    std::string text;
  };
  // The members an `..._ok` body has besides the usual ones, each with a comma before it.
  using Answer = tl::expected<std::string, Refusal>;
  struct Request;

  static tl::unexpected<Refusal> refuse(ErrorCode code, std::string text);

  Answer answer(const Message& message, TimePoint now);
  Answer init(const Message& message, TimePoint now);
  Answer topology(const Message& message, TimePoint now);
  Answer echo(const Message& message, TimePoint now);
  Answer status(const Message& message, TimePoint now);

  void make_clusters(const std::vector<std::string>& peers, TimePoint now);
  void add_cluster(std::string name, const ClusterSettings& settings,
                   const std::vector<BackendSettings>& backends, TimePoint now);
  tl::expected<Cluster*, Refusal> cluster_of(const Message& message) const;

  const NodeOptions options_;
  const TransitionSink sink_;
  Random random_;
  std::string id_;  // empty before `init`
  std::vector<std::shared_ptr<Cluster>> clusters_;
  int64_t next_msg_id_ = 0;
};

// Runs until the end of input (or SIGTERM or SIGINT, which count as that) and returns the exit
// status of the contract. Nothing but replies is written to `output_fd`; errors go to `error_fd`.
// The descriptors stay the caller's, and so does ignoring SIGPIPE: a reader that has gone ends the
// node with an error.
int run_maelstrom_node(const NodeOptions& options, int input_fd, int output_fd, int error_fd);

}  // namespace sluice
