// Requests that this node has sent and that wait for their answers. Each ends exactly once: by the
// first answer from the one who was asked, by its deadline, or because no more answers can come. An
// answer to anything else (a later one, a second one, one from somebody else) is nobody's and
// dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "maelstrom/agenda.h"
#include "maelstrom/message.h"
#include "maelstrom/message_writer.h"

namespace sluice {

class Calls {
 public:
  // Open ones; who would have to open another one refuses its client instead.
  static constexpr size_t kOpenMax = 100'000;

  // `answer` is null when none came, and borrowed otherwise.
  using OnEnd = std::function<void(const Message* answer, TimePoint now)>;

  Calls(MessageWriter& writer, Agenda& agenda) : writer_(writer), agenda_(agenda) {}

  // Whether another one may be begun.
  bool may_call() const { return !has_ended_ && open_.size() < kOpenMax; }
  bool has_ended() const { return has_ended_; }

  // `on_end` is never called before this returns.
  void call(std::string_view destination, std::string_view type, std::string_view members,
            TimePoint deadline, OnEnd on_end);

  void receive(const Message& answer, TimePoint now);

  // Nothing will be received any more: ends all, in the order in which they were begun.
  void end_all(TimePoint now);

 private:
  struct Open {
    std::string destination;
    Agenda::Place deadline;
    OnEnd on_end;
  };

  void end(int64_t msg_id, const Message* answer, TimePoint now);

  MessageWriter& writer_;
  Agenda& agenda_;
  std::unordered_map<int64_t, Open> open_;  // by msg_id
  bool has_ended_ = false;
};

}  // namespace sluice
