// What the tests of the Maelstrom node share: a node with its framer and parser, without I/O.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

class Conversation {
 public:
  explicit Conversation(NodeOptions options = {})
      : node_(
            std::move(options), [](const Transition&) {}, Random(1)),
        framer_([this](std::string_view object) { return parser_.is_message(object); }) {}

  void feed(std::string_view bytes) {
    while (const auto frame = framer_.next(bytes)) take(*frame);
  }
  void finish() {
    while (const auto frame = framer_.finish()) take(*frame);
  }
  // The replies to these bytes alone.
  Lines ask(std::string_view bytes) {
    replies.clear();
    feed(bytes);
    return replies;
  }

  Lines replies;
  Lines complaints;

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
    Outbox outbox;
    node_.receive(*message, kNow, outbox);
    for (auto& line : outbox.lines) replies.push_back(std::move(line));
    for (auto& complaint : outbox.complaints) complaints.push_back(std::move(complaint));
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

}  // namespace sluice
