#include "sluice/base/log_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "sluice/base/json.h"

namespace sluice {
namespace {

bool needs_quotes(std::string_view text) {
  return text.empty() || text == "-" || std::any_of(text.begin(), text.end(), [](unsigned char c) {
           return c <= ' ' || c == '"' || c == '=' || c >= 0x7F;
         });
}

}  // namespace

void append_log_value(std::string& out, std::string_view text) {
  if (needs_quotes(text)) {
    append_json_string(out, text);
  } else {
    out += text;
  }
}

void append_one_line(std::string& out, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(byte));
    } else {
      out += c;
    }
  }
}

void append_escaped(std::string& out, std::string_view text) {
  const size_t begin = out.size();
  append_json_string(out, text);
  out.erase(begin, 1);
  out.pop_back();
}

}  // namespace sluice
