#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "document.h"
#include "text.h"

namespace sluice {
namespace {

bool is_forbidden(unsigned char c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F;
}

size_t count_flow_marks(std::string_view text) {
  size_t marks = 0;
  size_t quotes = 0;
  for (const char c : text) {
    if (std::string_view("[{,&!").find(c) != std::string_view::npos) ++marks;
    if (c == '"' || c == '\'') ++quotes;
  }
  return marks + quotes / 4;
}

// A carriage return that no line feed follows ends a line for YAML and for few others.
std::optional<size_t> find_lone_carriage_return(std::string_view text) {
  for (size_t at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1)) {
    if (at + 1 == text.size() || text[at + 1] != '\n') return at;
  }
  return std::nullopt;
}

}  // namespace

bool check_text(std::string_view text, Problems& problems) {
  if (text.size() > kConfigBytesMax) {
    problems.error(Place::file(),
                   fmt::format("the file has {} bytes; a configuration has at most {}", text.size(),
                               kConfigBytesMax));
    return false;
  }
  if (const auto control = std::find_if(text.begin(), text.end(), is_forbidden);
      control != text.end()) {
    const auto offset = static_cast<size_t>(control - text.begin());
    problems.error(
        Place::in_text(offset, 1),
        fmt::format("a control character (0x{:02x}) may not be in a configuration; is "
                    "this a text file? In double quotes it is written \\x{:02x}",
                    static_cast<unsigned char>(*control), static_cast<unsigned char>(*control)));
    return false;
  }
  if (const auto offset = find_invalid_utf8(text)) {
    problems.error(Place::in_text(*offset, 1), "the text is not UTF-8 from here on");
    return false;
  }
  if (const auto offset = find_lone_carriage_return(text)) {
    problems.error(Place::in_text(*offset, 1), "a carriage return without a line feed");
    return false;
  }
  if (count_flow_marks(text) > kFlowMarksMax) {
    problems.error(Place::file(), fmt::format("more than {} brackets, braces, commas and the like",
                                              kFlowMarksMax));
    return false;
  }
  return true;
}

}  // namespace sluice
