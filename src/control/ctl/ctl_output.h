// The admin API's answers as people read them.
#pragma once

#include <string>
#include <string_view>

#include "sluice/base/result.h"

namespace sluice {

enum class CtlView : uint8_t { status, clusters, listeners, sessions, json, backend, done };

// An error when `body` is not what the API promises.
Result<std::string> render_ctl(CtlView view, std::string_view body, bool use_color);

// What an answer that says no says; the beginning of the body when it is no such answer.
std::string error_of(std::string_view body);

// Fit for a terminal: what would be a command to it becomes a question mark.
std::string printable(std::string_view text);

// Reads a stream of server-sent events as it comes, and writes each event as a line.
class CtlEventReader {
 public:
  static constexpr size_t kLineBytesMax = size_t{1} << 20U;
  enum class Form : uint8_t { text, json };
  CtlEventReader(Form form, bool use_color) : form_(form), use_color_(use_color) {}

  // The lines that are complete with this text.
  std::string take(std::string_view text);
  // A line without an end is no event's.
  bool is_lost() const { return unfinished_.size() > kLineBytesMax; }
  // Where to go on after a break.
  const std::string& last_id() const { return last_id_; }

 private:
  void take_line(std::string_view line, std::string& out);
  std::string render() const;

  const Form form_;
  const bool use_color_;
  std::string unfinished_;  // a line
  std::string event_;
  std::string data_;
  std::string last_id_;
};

}  // namespace sluice
