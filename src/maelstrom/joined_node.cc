#include "maelstrom/joined_node.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "maelstrom/quoted_excerpt.h"

namespace sluice {
namespace {

Names names_of(const std::vector<std::string>& list) { return {list.begin(), list.end()}; }

Names without(Names names, const std::string& name) {
  names.erase(name);
  return names;
}

}  // namespace

// A kind of message and what answers it.
struct JoinedNode::Request {
  std::string_view type;
  Handled (JoinedNode::*handle)(const Message&, TimePoint);
};

JoinedNode::JoinedNode(const Identity& identity, const NodeOptions& options,
                       const ServedClusters& served, TransitionSink sink, Random random,
                       MessageWriter& writer, TimePoint now)
    : is_clock_manual_(options.manual_clock),
      nodes_(names_of(identity.node_ids)),
      others_(without(nodes_, identity.id)),
      writer_(writer),
      random_(random),
      calls_(writer_, agenda_),
      clusters_(options, served.clusters, std::move(sink), agenda_, Random(random_.next()),
                time(now)),
      prober_(calls_, agenda_, writer_, others_, Random(random_.next())),
      router_(others_, clusters_.peers(), calls_, agenda_, writer_, Random(random_.next())),
      service_(options.service, options.service_timeout, calls_, writer_),
      served_(options.config, served, writer_),
      control_(clusters_, served_, others_, [this](NodeCluster& cluster, TimePoint changed) {
        prober_.watch(cluster, changed);
      }) {
  std::vector<BackendSettings> peers;
  for (const std::string& node : identity.node_ids) {
    if (node != identity.id) peers.push_back(named_backend(node));
  }
  clusters_.peers().set_backends(peers, others_, time(now));
  for (const auto& cluster : clusters_.all()) {
    if (cluster->owner() == NodeCluster::Owner::node) prober_.watch(*cluster, time(now));
  }
  const Duration delay = is_clock_manual_ ? Duration::zero() : kFirstProbeDelay;
  agenda_.add(time(now) + delay, [this](TimePoint due) { prober_.begin(due); });
}

void JoinedNode::receive(const Message& message, TimePoint now) {
  if (!is_clock_manual_) prober_.begin(now);
  if (message.is_reply) {
    calls_.receive(message, time(now));
  } else {
    answer(message, time(now));
  }
  end_turn(time(now));
  if (!is_clock_manual_) run_due(now);
}

std::optional<TimePoint> JoinedNode::next_due() const {
  return is_clock_manual_ ? std::nullopt : agenda_.next();
}

void JoinedNode::run_due(TimePoint now) {
  const auto next = next_due();
  if (!next || *next > now) return;
  agenda_.run_due(now);
  end_turn(now);
}

void JoinedNode::end_input(TimePoint now) {
  calls_.end_all(time(now));
  router_.end(time(now));
  served_.end();
}

void JoinedNode::end_turn(TimePoint now) {
  router_.serve_called(now);
  clusters_.follow_up(now, [&](const NodeCluster& cluster, const std::string& backend) {
    prober_.hasten(cluster, backend, now);
  });
}

void JoinedNode::answer(const Message& message, TimePoint now) {
  const Asker asker{.source = message.source, .msg_id = message.msg_id};
  const Handled handled = handle(message, now);
  if (!handled) return;
  if (*handled) {
    writer_.reply(asker, *message.type, **handled);
  } else {
    writer_.error(asker, handled->error());
  }
}

Handled JoinedNode::handle(const Message& message, TimePoint now) {
  static constexpr std::array<Request, 11> kRequests{{
      {"echo", &JoinedNode::echo},
      {"read", &JoinedNode::proxy},
      {"write", &JoinedNode::proxy},
      {"cas", &JoinedNode::proxy},
      {PeerProber::kProbeType, &JoinedNode::probe},
      {"topology", &JoinedNode::topology},
      {"backends", &JoinedNode::backends},
      {"report", &JoinedNode::report},
      {"route", &JoinedNode::route},
      {"advance", &JoinedNode::advance},
      {"status", &JoinedNode::status},
  }};
  if (!message.type) return refuse(ErrorCode::malformed_request, "the body has no string 'type'");
  const auto request = std::ranges::find(kRequests, *message.type, &Request::type);
  if (request == kRequests.end()) {
    return refuse(ErrorCode::not_supported,
                  fmt::format("type {} is not supported", quoted_excerpt(*message.type)));
  }
  return (this->*request->handle)(message, now);
}

// Every node is reached directly, whatever the topology.
Handled JoinedNode::topology(const Message& message, TimePoint) {
  const BodyField* topology = message.find("topology");
  if (topology != nullptr && !topology->value.is_object()) {
    return refuse(ErrorCode::malformed_request, "'topology' must be an object");
  }
  return std::string();
}

// What another node has forwarded is answered here: it is we who were chosen.
Handled JoinedNode::echo(const Message& message, TimePoint now) {
  const BodyField* payload = message.find("echo");
  if (payload == nullptr) return refuse(ErrorCode::malformed_request, "echo needs an 'echo'");
  std::string members = R"(,"echo":)";
  append_minified(members, payload->text);
  const bool is_forwarded = nodes_.contains(std::string(message.source));
  if (is_forwarded || !clusters_.peers().has_backends()) return members;
  router_.forward({.source = message.source, .msg_id = message.msg_id}, std::move(members), now);
  return std::nullopt;
}

Handled JoinedNode::proxy(const Message& message, TimePoint now) {
  if (auto refusal = service_.forward(message, now)) return tl::unexpected(std::move(*refusal));
  return std::nullopt;
}

Handled JoinedNode::probe(const Message&, TimePoint) { return std::string(); }

Handled JoinedNode::advance(const Message& message, TimePoint) {
  if (!is_clock_manual_) {
    return refuse(ErrorCode::not_supported, "the clock is moved only under --manual-clock");
  }
  const auto ms = message.integer("ms");
  if (!ms || *ms < 0 || *ms > to_ms(kAdvanceMax)) {
    return refuse(ErrorCode::malformed_request,
                  fmt::format("advance needs 'ms', an integer from 0 to {}", to_ms(kAdvanceMax)));
  }
  do_until(clock_ + std::chrono::milliseconds(*ms));
  return fmt::format(R"(,"now_ms":{})", to_ms(clock_.time_since_epoch()));
}

// Everything that is due in between, at its time.
void JoinedNode::do_until(TimePoint end) {
  while (true) {
    const auto next = agenda_.next();
    if (!next || *next > end) break;
    clock_ = std::max(clock_, *next);
    agenda_.run_due(clock_);
    end_turn(clock_);
  }
  clock_ = end;
}

Handled JoinedNode::backends(const Message& message, TimePoint now) {
  return control_.backends(message, now);
}

Handled JoinedNode::report(const Message& message, TimePoint now) {
  return control_.report(message, now);
}

Handled JoinedNode::route(const Message& message, TimePoint now) {
  return control_.route(message, now);
}

Handled JoinedNode::status(const Message& message, TimePoint now) {
  return control_.status(message, now);
}

}  // namespace sluice
