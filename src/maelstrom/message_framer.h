// Cuts a stream of bytes into messages: it finds the brace that closes an object, and leaves it to
// the parser whether what is between is JSON. So input may be pretty-printed, or have several
// messages on a line, and a message is there with its last brace, without a newline.
//
// How it gets back into step after broken text, each time with a frame that says so:
//   - what does not begin with a brace is skipped to the end of its line;
//   - a string that runs over the end of its line can be no JSON any more: skipped up to there;
//   - text that is still unfinished when a line comes that alone is a complete message is
//   discarded.
//     A mere object is not enough: pretty-printed text may have an inner one alone on its line;
//   - a message longer than kMessageBytesMax is dropped, with the rest of its line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

struct Frame {
  enum class Kind : uint8_t { message, not_json, unfinished, too_long };

  Kind kind;
  std::string_view text;  // until the framer is used again; of a skipped line only the beginning
  uint64_t line;          // of the input, from 1, where the text began
};

class MessageFramer {
 public:
  static constexpr size_t kMessageBytesMax = size_t{16} << 20U;
  static constexpr size_t kSkippedBytesKept = 256;

  // Whether the text of an object is that of a message.
  using IsMessage = std::function<bool(std::string_view object)>;

  explicit MessageFramer(IsMessage is_message) : is_message_(std::move(is_message)) {}

  // Takes from the front of `bytes` up to the end of the next frame; nothing when they ran out
  // first.
  std::optional<Frame> next(std::string_view& bytes);

  // The end of input: what is left, to be called until there is nothing.
  std::optional<Frame> finish();

 private:
  enum class State : uint8_t { between, object, string, escape, garbage, skipping };
  // What the line so far is, of an object that began on an earlier one.
  enum class Line : uint8_t { blank, open_object, whole_object, other };

  void take_inside_of_string(std::string_view& bytes);
  std::optional<Frame::Kind> step(char c);
  std::optional<Frame::Kind> step_object(char c);
  std::optional<Frame::Kind> end_line();
  void begin(char c);
  void open_brace();
  std::optional<Frame::Kind> close_brace();
  bool interrupts_unfinished_text() const;
  Frame discard_unfinished_text();
  Frame take(Frame::Kind kind);

  const IsMessage is_message_;
  State state_ = State::between;
  std::string text_;
  std::string taken_;  // the frame last given
  uint64_t line_number_ = 1;
  uint64_t began_on_line_ = 1;
  size_t depth_ = 0;  // of braces
  Line line_ = Line::other;
  size_t line_begin_ = 0;  // in text_
  size_t line_depth_ = 0;  // before the object that began the line
};

}  // namespace sluice
