// One run through a probe's script, without the socket: which bytes go out next, what to make of
// those that come in. Fails as soon as what has come cannot be right any more. Borrows the script.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sluice/control/probe_script.h"

namespace sluice {

class ProbeDialogue {
 public:
  enum class State : uint8_t { sending, expecting, passed, mismatch };

  // An answer in which nothing has matched by then will not.
  static constexpr size_t kAnswerBytesMax = 64 * 1024;

  explicit ProbeDialogue(std::span<const ProbeStep> script);

  State state() const { return state_; }

  // While sending: what is left of this step, and how much of it has gone.
  std::string_view to_send() const;
  void sent(size_t bytes);

  // While expecting: what has come.
  void received(std::string_view bytes);

  // Whether anything has come in answer to the last question that is not what was expected; if not
  // and the connection ends, the answer is missing, not wrong.
  bool has_unmatched_answer() const { return unmatched_bytes_ > 0; }

 private:
  enum class Finding : uint8_t { found, not_yet, never };

  void begin_step();
  void judge();
  Finding find(const SendStep& step);
  Finding find(const ExpectStep& step);
  Finding find(const ExpectStatusStep& step);

  std::span<const ProbeStep> rest_;  // the first is the one under way
  State state_ = State::passed;
  size_t sent_bytes_ = 0;
  // What came and may still be part of what is expected.
  std::string heard_;
  size_t unmatched_bytes_ = 0;
};

}  // namespace sluice
