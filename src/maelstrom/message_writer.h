// Writes the messages that a node sends, one on a line, with the keys in the contract's order:
// `src`, `dest`, `body`; in a body `type`, `in_reply_to`, then (an error: `code` and `text` first)
// `msg_id` and the rest. Numbers them in the order sent, from 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "maelstrom/outbox.h"
#include "maelstrom/refusal.h"

namespace sluice {

// Whose request is answered. Borrowed.
struct Asker {
  std::string_view source;
  std::optional<int64_t> msg_id;  // without one nobody waits for an answer, and none is written
};

class MessageWriter {
 public:
  explicit MessageWriter(Outbox& outbox) : outbox_(outbox) {}

  // The node's name, as the `src` of what follows.
  void speak_as(std::string_view node);

  // Returns its msg_id. `members` each begin with a comma, here and below.
  int64_t request(std::string_view destination, std::string_view type, std::string_view members);
  // To a request of `type`: an `..._ok`.
  void reply(const Asker& asker, std::string_view type, std::string_view members);
  void error(const Asker& asker, const Refusal& refusal);

  bool is_reader_behind() const { return outbox_.is_full(); }

 private:
  std::string& begin(std::string_view destination);

  Outbox& outbox_;
  std::string name_;
  std::string beginning_;  // of a message, up to its destination
  int64_t next_msg_id_ = 0;
};

}  // namespace sluice
