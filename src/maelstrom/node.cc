#include "sluice/maelstrom/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "maelstrom/message.h"
#include "maelstrom/quoted_excerpt.h"
#include "sluice/base/json.h"

namespace sluice {
namespace {

constexpr std::string_view kPeersCluster = "peers";

// Messages go to names. An address is something the core keeps and never looks at.
Address placeholder_address(const std::string& name) { return Address::unix_abstract(name); }

// The strings of an array; nothing when it is something else.
std::optional<std::vector<std::string>> strings_of(const BodyField* field) {
  simdjson::dom::array array;
  if (field == nullptr || field->value.get(array) != simdjson::SUCCESS) return std::nullopt;
  std::vector<std::string> strings;
  for (const simdjson::dom::element member : array) {
    std::string_view text;
    if (member.get(text) != simdjson::SUCCESS) return std::nullopt;
    strings.emplace_back(text);
  }
  return strings;
}

void append_status(std::string& out, const Backend& backend, TimePoint now) {
  out += R"({"name":)";
  append_json_string(out, backend.name());
  fmt::format_to(std::back_inserter(out),
                 R"(,"health":"{}","breaker":"{}","consecutive_failures":{},"opens":{}}})",
                 name(backend.health()), name(backend.breaker().state(now)),
                 backend.outlier_detector().consecutive_failures(), backend.breaker().opens());
}

std::string begin_reply(std::string_view source, std::string_view destination) {
  std::string line = R"({"src":)";
  append_json_string(line, source);
  line += R"(,"dest":)";
  append_json_string(line, destination);
  line += R"(,"body":)";
  return line;
}

}  // namespace

// A kind of message and what answers it.
struct MaelstromNode::Request {
  std::string_view type;
  Answer (MaelstromNode::*answer)(const Message&, TimePoint);
};

MaelstromNode::MaelstromNode(NodeOptions options, TransitionSink sink, Random random)
    : options_(std::move(options)), sink_(std::move(sink)), random_(random) {}

// The contract's keys come first and in its order, then what it leaves open: the payload of an
// `..._ok`, and the msg_id of an error.
void MaelstromNode::receive(const Message& message, TimePoint now, Outbox& outbox) {
  if (message.is_reply) return;
  if (!id_.empty() && message.destination != id_) {
    outbox.complaints.push_back(fmt::format("addressed to {}, but this is node {}: not answered",
                                            quoted_excerpt(message.destination),
                                            quoted_excerpt(id_)));
    return;
  }
  const Answer found = answer(message, now);
  if (!message.msg_id) return;
  std::string line = begin_reply(id_.empty() ? message.destination : id_, message.source);
  const auto out = std::back_inserter(line);
  if (found) {
    fmt::format_to(out, R"({{"type":"{}_ok","in_reply_to":{},"msg_id":{}{}}}}})", *message.type,
                   *message.msg_id, next_msg_id_, *found);
  } else {
    fmt::format_to(out, R"({{"type":"error","in_reply_to":{},"code":{},"text":)", *message.msg_id,
                   static_cast<int>(found.error().code));
    append_json_string(line, found.error().text);
    fmt::format_to(out, R"(,"msg_id":{}}}}})", next_msg_id_);
  }
  ++next_msg_id_;
  outbox.lines.push_back(std::move(line));
}

tl::unexpected<MaelstromNode::Refusal> MaelstromNode::refuse(ErrorCode code, std::string text) {
  return tl::unexpected(Refusal{code, std::move(text)});
}

MaelstromNode::Answer MaelstromNode::answer(const Message& message, TimePoint now) {
  static constexpr std::array<Request, 4> kRequests{{
      {"init", &MaelstromNode::init},
      {"topology", &MaelstromNode::topology},
      {"echo", &MaelstromNode::echo},
      {"status", &MaelstromNode::status},
  }};
  if (id_.empty() && message.type != "init") {
    return refuse(ErrorCode::unavailable, "not initialised yet: the first message must be an init");
  }
  if (!message.type) return refuse(ErrorCode::malformed_request, "the body has no string 'type'");
  const auto request = std::ranges::find(kRequests, *message.type, &Request::type);
  if (request == kRequests.end()) {
    return refuse(ErrorCode::not_supported,
                  fmt::format("type {} is not supported", quoted_excerpt(*message.type)));
  }
  return (this->*request->answer)(message, now);
}

MaelstromNode::Answer MaelstromNode::init(const Message& message, TimePoint now) {
  if (!id_.empty()) {
    return refuse(ErrorCode::malformed_request, fmt::format("already initialised as {}", id_));
  }
  const auto node_id = message.string("node_id");
  if (!node_id || node_id->empty()) {
    return refuse(ErrorCode::malformed_request,
                  "init needs a 'node_id', a string that is not empty");
  }
  auto peers = strings_of(message.find("node_ids"));
  if (!peers || std::ranges::find(*peers, "") != peers->end()) {
    return refuse(ErrorCode::malformed_request,
                  "init needs 'node_ids', a list of strings that are not empty");
  }
  if (peers->size() > kNodesMax) {
    return refuse(ErrorCode::malformed_request, fmt::format("more than {} node_ids", kNodesMax));
  }
  // Each once, in the order given, without this node.
  std::unordered_set<std::string> seen{std::string(*node_id)};
  std::erase_if(*peers, [&seen](const std::string& peer) { return !seen.insert(peer).second; });
  id_ = *node_id;
  make_clusters(*peers, now);
  return std::string();
}

// Every node is reached directly, whatever the topology.
MaelstromNode::Answer MaelstromNode::topology(const Message& message, TimePoint) {
  const BodyField* topology = message.find("topology");
  if (topology != nullptr && !topology->value.is_object()) {
    return refuse(ErrorCode::malformed_request, "'topology' must be an object");
  }
  return std::string();
}

MaelstromNode::Answer MaelstromNode::echo(const Message& message, TimePoint) {
  const BodyField* payload = message.find("echo");
  if (payload == nullptr) return refuse(ErrorCode::malformed_request, "echo needs an 'echo'");
  std::string members = R"(,"echo":)";
  append_minified(members, payload->text);
  return members;
}

MaelstromNode::Answer MaelstromNode::status(const Message& message, TimePoint now) {
  const auto cluster = cluster_of(message);
  if (!cluster) return tl::unexpected(cluster.error());
  std::string members = R"(,"backends":[)";
  for (const PriorityLevel& level : (*cluster)->snapshot()->levels) {
    for (const auto& backend : level.backends) {
      if (members.back() != '[') members += ',';
      append_status(members, *backend, now);
    }
  }
  members += ']';
  return members;
}

void MaelstromNode::make_clusters(const std::vector<std::string>& peers, TimePoint now) {
  std::vector<BackendSettings> backends;
  if (!options_.config) {
    for (const std::string& peer : peers) {
      backends.push_back(
          {.name = peer, .address = placeholder_address(peer), .health_check_port = std::nullopt});
    }
    add_cluster(std::string(kPeersCluster), {}, backends, now);
    return;
  }
  for (const ClusterConfig& cluster : options_.config->clusters) {
    backends.clear();
    for (const BackendConfig& backend : cluster.backends) {
      backends.push_back({.name = backend.name,
                          .address = placeholder_address(backend.name),
                          .weight = backend.weight,
                          .priority = backend.priority,
                          .admin_state = backend.admin_state,
                          .health_check_port = std::nullopt});
    }
    add_cluster(cluster.name, cluster.settings, backends, now);
  }
}

void MaelstromNode::add_cluster(std::string name, const ClusterSettings& settings,
                                const std::vector<BackendSettings>& backends, TimePoint now) {
  auto cluster = std::make_shared<Cluster>(std::move(name), sink_, Random(random_.next()));
  cluster->apply(settings, backends, Arrival::cold_start, now);
  clusters_.push_back(std::move(cluster));
}

// With a configuration a message names its cluster; without one there is just one.
tl::expected<Cluster*, MaelstromNode::Refusal> MaelstromNode::cluster_of(
    const Message& message) const {
  if (!options_.config) return clusters_.front().get();
  const auto name = message.string("cluster");
  if (!name)
    return refuse(ErrorCode::malformed_request, "the string 'cluster' must name a cluster");
  for (const auto& cluster : clusters_) {
    if (cluster->name() == *name) return cluster.get();
  }
  return refuse(ErrorCode::malformed_request,
                fmt::format("there is no cluster {}", quoted_excerpt(*name)));
}

}  // namespace sluice
