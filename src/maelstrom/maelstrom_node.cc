#include "maelstrom/maelstrom_node.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "maelstrom/quoted_excerpt.h"

namespace sluice {

MaelstromNode::MaelstromNode(NodeOptions options, TransitionSink sink, Random random,
                             ServedClusters served)
    : options_(std::move(options)),
      sink_(std::move(sink)),
      random_(random),
      served_(std::move(served)) {}

void MaelstromNode::receive(const Message& message, TimePoint now) {
  if (!is_for_us(message)) return;
  if (joined_ && message.type != "init") return joined_->receive(message, now);
  if (message.is_reply) return;
  const Answer answer = answer_outsider(message, now);
  const Asker asker{.source = message.source, .msg_id = message.msg_id};
  writer_.speak_as(id_.empty() ? message.destination : id_);
  if (answer) {
    writer_.reply(asker, *message.type, *answer);
  } else {
    writer_.error(asker, answer.error());
  }
}

bool MaelstromNode::is_for_us(const Message& message) {
  if (message.source.size() > kNameBytesMax) {
    outbox_.complaints.push_back(
        fmt::format("a name of more than {} bytes: not answered", kNameBytesMax));
    return false;
  }
  if (id_.empty() || message.destination == id_) return true;
  outbox_.complaints.push_back(fmt::format("addressed to {}, but this is node {}: not answered",
                                           quoted_excerpt(message.destination),
                                           quoted_excerpt(id_)));
  return false;
}

// An `init`, or what comes before the first one.
Answer MaelstromNode::answer_outsider(const Message& message, TimePoint now) {
  if (message.type == "init") return init(message, now);
  return refuse(ErrorCode::unavailable, "not initialised yet: the first message must be an init");
}

Answer MaelstromNode::init(const Message& message, TimePoint now) {
  if (joined_) {
    return refuse(ErrorCode::malformed_request, fmt::format("already initialised as {}", id_));
  }
  const auto node_id = message.string("node_id");
  if (!node_id || node_id->empty() || node_id->size() > kNameBytesMax) {
    return refuse(ErrorCode::malformed_request,
                  fmt::format("init needs a 'node_id', a string of 1 to {} bytes", kNameBytesMax));
  }
  auto node_ids = distinct_names(message.find("node_ids"));
  if (!node_ids) {
    return refuse(
        ErrorCode::malformed_request,
        fmt::format("init needs 'node_ids', a list of strings of 1 to {} bytes", kNameBytesMax));
  }
  if (node_ids->size() > kNodesMax) {
    return refuse(ErrorCode::malformed_request, fmt::format("more than {} node_ids", kNodesMax));
  }
  id_ = *node_id;
  joined_ = std::make_unique<JoinedNode>(
      JoinedNode::Identity{.id = id_, .node_ids = std::move(*node_ids)}, options_, served_, sink_,
      Random(random_.next()), writer_, now);
  return std::string();
}

std::optional<TimePoint> MaelstromNode::next_due() const {
  return joined_ ? joined_->next_due() : std::nullopt;
}

void MaelstromNode::run_due(TimePoint now) {
  if (joined_) joined_->run_due(now);
}

void MaelstromNode::end_input(TimePoint now) {
  if (joined_) joined_->end_input(now);
}

}  // namespace sluice
