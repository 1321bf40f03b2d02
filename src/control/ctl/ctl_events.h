// Reads a stream of server-sent events as it comes, and writes each event as a line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

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
