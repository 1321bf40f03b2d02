// What the tests of the Maelstrom node share: a node with its framer and parser, without I/O.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maelstrom/maelstrom_node.h"
#include "maelstrom/message.h"
#include "maelstrom/message_framer.h"
#include "sluice/maelstrom/node.h"

namespace sluice {

using Lines = std::vector<std::string>;

inline constexpr TimePoint kNow{std::chrono::hours(1000)};

// The contract's two lines.
inline constexpr std::string_view kInit =
    R"({"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}})";
inline constexpr std::string_view kInitOk =
    R"({"src":"n1","dest":"c0","body":{"type":"init_ok","in_reply_to":1,"msg_id":0}})";

// From c1 to n1; `members` follow the type and begin with a comma, if there are any.
inline std::string request(std::string_view type, int msg_id, std::string_view members = "") {
  return fmt::format(R"({{"src":"c1","dest":"n1","body":{{"type":"{}","msg_id":{}{}}}}})", type,
                     msg_id, members);
}

inline std::string echo(int msg_id, std::string_view payload) {
  return request("echo", msg_id, fmt::format(R"(,"echo":{})", payload));
}

inline std::string echo_ok(int in_reply_to, int msg_id, std::string_view payload) {
  return fmt::format(
      R"({{"src":"n1","dest":"c1","body":{{"type":"echo_ok","in_reply_to":{},"msg_id":{},"echo":{}}}}})",
      in_reply_to, msg_id, payload);
}

// What another node sends to n1.
inline std::string from(std::string_view source, std::string_view type, std::string_view members) {
  return fmt::format(R"({{"src":"{}","dest":"n1","body":{{"type":"{}"{}}}}})", source, type,
                     members);
}

inline std::string answer_from(std::string_view source, std::string_view type, int in_reply_to,
                               std::string_view members = "") {
  return from(source, type, fmt::format(R"(,"in_reply_to":{},"msg_id":0{})", in_reply_to, members));
}

// What n1 sends.
inline std::string sent(std::string_view destination, std::string_view type, int msg_id,
                        std::string_view members = "") {
  return fmt::format(R"({{"src":"n1","dest":"{}","body":{{"type":"{}","msg_id":{}{}}}}})",
                     destination, type, msg_id, members);
}

inline std::string replied(std::string_view type, int in_reply_to, int msg_id,
                           std::string_view members = "") {
  return fmt::format(
      R"({{"src":"n1","dest":"c1","body":{{"type":"{}","in_reply_to":{},"msg_id":{}{}}}}})", type,
      in_reply_to, msg_id, members);
}

inline std::string error(int in_reply_to, int code, std::string_view text, int msg_id) {
  return fmt::format(
      R"({{"src":"n1","dest":"c1","body":{{"type":"error","in_reply_to":{},"code":{},"text":"{}","msg_id":{}}}}})",
      in_reply_to, code, text, msg_id);
}

inline std::string init_of(std::string_view node_ids) {
  return request("init", 1, fmt::format(R"(,"node_id":"n1","node_ids":{})", node_ids));
}

// Whether it is the one reply, an error of that code to that request.
inline testing::AssertionResult is_error(const Lines& replies, int code, int in_reply_to = 2) {
  const std::string part =
      fmt::format(R"("type":"error","in_reply_to":{},"code":{},"text":")", in_reply_to, code);
  if (replies.size() == 1 && replies[0].find(part) != std::string::npos) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << testing::PrintToString(replies) << " is no error " << code;
}

class Conversation {
 public:
  explicit Conversation(NodeOptions options = {})
      : node_(
            std::move(options), [this](const Transition& change) { changes.push_back(change); },
            Random(1)),
        framer_([this](std::string_view object) { return parser_.is_message(object); }) {}

  void feed(std::string_view bytes) {
    while (const auto frame = framer_.next(bytes)) take(*frame);
  }
  void finish() {
    while (const auto frame = framer_.finish()) take(*frame);
  }
  // What it says to these bytes alone.
  Lines ask(std::string_view bytes) {
    replies.clear();
    feed(bytes);
    return replies;
  }
  // What it says by itself in that time.
  Lines pass(Duration span) {
    replies.clear();
    const TimePoint end = now + span;
    for (auto due = node_.next_due(); due && *due <= end; due = node_.next_due()) {
      now = *due;
      node_.run_due(now);
      listen();
    }
    now = end;
    return replies;
  }
  // What it still says when no more input comes.
  Lines end_input() {
    replies.clear();
    node_.end_input(now);
    listen();
    return replies;
  }
  MaelstromNode& node() { return node_; }

  Lines replies;
  Lines complaints;
  std::vector<Transition> changes;
  TimePoint now = kNow;

 private:
  void take(const Frame& frame) {
    if (frame.kind != Frame::Kind::message) {
      complaints.push_back(fmt::format("{} {}", frame.line, static_cast<int>(frame.kind)));
      return;
    }
    const auto message = parser_.parse(frame.text);
    if (!message) {
      complaints.push_back(message.error().message);
      return;
    }
    node_.receive(*message, now);
    listen();
  }

  void listen() {
    Outbox& outbox = node_.outbox();
    for (size_t end = 0; (end = outbox.lines.find('\n')) != std::string::npos;) {
      replies.push_back(outbox.lines.substr(0, end));
      outbox.lines.erase(0, end + 1);
    }
    EXPECT_EQ(outbox.lines, "") << "each line ends";
    for (auto& complaint : outbox.complaints) complaints.push_back(std::move(complaint));
    outbox.complaints.clear();
  }

  MaelstromNode node_;
  MessageParser parser_;
  MessageFramer framer_;
};

// With a node that is n1 already; its next reply has msg_id 1.
class InitialisedNode : public testing::Test {
 protected:
  InitialisedNode() { node.ask(kInit); }

  Conversation node;
};

// A configuration whose `peers` say how the other nodes are treated.
inline Config peers_config(ClusterSettings settings, bool has_probes) {
  ClusterConfig peers;
  peers.name = "peers";
  peers.settings = settings;
  peers.settings.has_probes = has_probes;
  if (!has_probes) peers.health_check = std::nullopt;
  Config config;
  config.clusters.push_back(std::move(peers));
  return config;
}

// One cluster `web` of four backends.
inline Config web_config(BalancePolicy policy) {
  Config config;
  ClusterConfig cluster;
  cluster.name = "web";
  cluster.settings.balance.policy = policy;
  for (const std::string name : {"a", "b", "c", "d"}) {
    cluster.backends.push_back({.name = name,
                                .address = Address::ipv4({127, 0, 0, 1}, 80),
                                .health_check_port = std::nullopt});
  }
  config.clusters.push_back(std::move(cluster));
  return config;
}

}  // namespace sluice
