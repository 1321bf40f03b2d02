#include "maelstrom/message_framer.h"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool means_something_in_string(char c) { return c == '"' || c == '\\' || c == '\n'; }

}  // namespace

std::optional<Frame> MessageFramer::next(std::string_view& bytes) {
  while (!bytes.empty()) {
    if (state_ == State::string) take_inside_of_string(bytes);
    if (bytes.empty()) break;
    const char c = bytes.front();
    // The newline stays where it is: with what stood before it gone, the line's own frame is next.
    if (c == '\n' && interrupts_unfinished_text()) return discard_unfinished_text();
    bytes.remove_prefix(1);
    if (const auto kind = step(c)) return take(*kind);
  }
  return std::nullopt;
}

// Most of what comes is inside of strings, where a step for each byte is not worth its time.
void MessageFramer::take_inside_of_string(std::string_view& bytes) {
  const size_t length_max = std::min(bytes.size(), kMessageBytesMax - text_.size());
  size_t length = 0;
  while (length < length_max && !means_something_in_string(bytes[length])) ++length;
  text_.append(bytes.substr(0, length));
  bytes.remove_prefix(length);
}

std::optional<Frame> MessageFramer::finish() {
  std::string_view end_of_last_line = "\n";
  if (auto frame = next(end_of_last_line)) return frame;
  if (state_ == State::between) return std::nullopt;
  state_ = State::between;
  return take(Frame::Kind::unfinished);
}

std::optional<Frame::Kind> MessageFramer::step(char c) {
  if (c == '\n') return end_line();
  switch (state_) {
    case State::between:
      if (!is_space(c)) begin(c);
      return std::nullopt;
    case State::garbage:
      if (text_.size() < kSkippedBytesKept) text_ += c;
      return std::nullopt;
    case State::skipping:
      return std::nullopt;
    case State::object:
    case State::string:
    case State::escape:
      break;
  }
  text_ += c;
  if (text_.size() > kMessageBytesMax) {
    state_ = State::skipping;
    return Frame::Kind::too_long;
  }
  return step_object(c);
}

std::optional<Frame::Kind> MessageFramer::step_object(char c) {
  if (state_ == State::escape) {
    state_ = State::string;
    return std::nullopt;
  }
  if (state_ == State::string) {
    if (c == '\\') state_ = State::escape;
    if (c == '"') state_ = State::object;
    return std::nullopt;
  }
  if (is_space(c)) return std::nullopt;
  if (c == '}') return close_brace();
  if (c == '{') {
    open_brace();
    return std::nullopt;
  }
  if (c == '"') state_ = State::string;
  if (line_ != Line::open_object) line_ = Line::other;
  return std::nullopt;
}

std::optional<Frame::Kind> MessageFramer::end_line() {
  ++line_number_;
  switch (state_) {
    case State::between:
      return std::nullopt;
    case State::skipping:
      state_ = State::between;
      return std::nullopt;
    case State::garbage:
    case State::string:
    case State::escape:
      state_ = State::between;
      return Frame::Kind::not_json;
    case State::object:
      break;
  }
  if (line_ == Line::whole_object && line_begin_ == 0) {
    state_ = State::between;
    return Frame::Kind::message;
  }
  text_ += '\n';
  line_ = Line::blank;
  line_begin_ = text_.size();
  return std::nullopt;
}

void MessageFramer::begin(char c) {
  text_ += c;
  state_ = c == '{' ? State::object : State::garbage;
  began_on_line_ = line_number_;
  depth_ = 1;
  line_ = Line::other;
  line_begin_ = 0;
}

void MessageFramer::open_brace() {
  if (line_ == Line::blank) {
    line_ = Line::open_object;
    line_depth_ = depth_;
  } else if (line_ == Line::whole_object) {
    line_ = Line::other;
  }
  ++depth_;
}

std::optional<Frame::Kind> MessageFramer::close_brace() {
  --depth_;
  if (depth_ == 0) {
    state_ = State::between;
    return Frame::Kind::message;
  }
  const bool closes_line = line_ == Line::open_object && depth_ == line_depth_;
  if (closes_line) {
    line_ = Line::whole_object;
  } else if (line_ != Line::open_object) {
    line_ = Line::other;
  }
  return std::nullopt;
}

bool MessageFramer::interrupts_unfinished_text() const {
  return state_ == State::object && line_ == Line::whole_object && line_begin_ > 0 &&
         is_message_(std::string_view(text_).substr(line_begin_));
}

Frame MessageFramer::discard_unfinished_text() {
  taken_.assign(text_, 0, line_begin_);
  text_.erase(0, line_begin_);
  line_begin_ = 0;
  return {Frame::Kind::unfinished, taken_, std::exchange(began_on_line_, line_number_)};
}

Frame MessageFramer::take(Frame::Kind kind) {
  taken_.swap(text_);
  text_.clear();
  return {kind, taken_, began_on_line_};
}

}  // namespace sluice
