#include "text.h"

#include <algorithm>
#include <cstdint>

namespace sluice {
namespace {

constexpr size_t kExcerptBytesMax = 80;

bool is_continuation(char c) { return (static_cast<uint8_t>(c) & 0xC0U) == 0x80U; }

bool is_control(char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7F; }

// The least and greatest second byte after `lead`; what a greater range would let in are overlong
// forms, surrogates and code points above U+10FFFF.
struct SecondByte {
  uint8_t least = 0x80;
  uint8_t greatest = 0xBF;
};

SecondByte second_byte_after(uint8_t lead) {
  switch (lead) {
    case 0xE0:
      return {.least = 0xA0};
    case 0xED:
      return {.greatest = 0x9F};
    case 0xF0:
      return {.least = 0x90};
    case 0xF4:
      return {.greatest = 0x8F};
    default:
      return {};
  }
}

// Length of the UTF-8 sequence `text` begins with, or 0.
size_t sequence_length(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text.front());
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                        : lead >= 0xE0 && lead <= 0xEF ? 3
                        : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                       : 0;
  if (length == 0 || text.size() < length) return 0;
  const auto second = static_cast<uint8_t>(text[1]);
  const SecondByte range = second_byte_after(lead);
  if (second < range.least || second > range.greatest) return 0;
  const std::string_view rest = text.substr(2, length - 2);
  return std::all_of(rest.begin(), rest.end(), is_continuation) ? length : 0;
}

}  // namespace

size_t count_characters(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::optional<size_t> find_invalid_utf8(std::string_view text) {
  for (size_t offset = 0; offset < text.size();) {
    const size_t length = sequence_length(text.substr(offset));
    if (length == 0) return offset;
    offset += length;
  }
  return std::nullopt;
}

std::string excerpt(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = sequence_length(text);
    if (out.size() + length > kExcerptBytesMax) return out + "...";
    if (length == 0 || is_control(text.front())) {
      out += '?';
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

std::optional<size_t> quoted_length(std::string_view text) {
  const char quote = text.front();
  for (size_t i = 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      return i + 1;
    }
  }
  return std::nullopt;
}

std::string_view without_carriage_return(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

}  // namespace sluice
