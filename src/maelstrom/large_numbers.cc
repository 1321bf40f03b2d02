#include "maelstrom/large_numbers.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace sluice {
namespace {

constexpr std::string_view kDigits = "0123456789";

// Drops leading digits; how many.
size_t skip_digits(std::string_view& text) {
  const size_t count = std::min(text.find_first_not_of(kDigits), text.size());
  text.remove_prefix(count);
  return count;
}

bool skip(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// RFC 8259, section 6.
bool is_number(std::string_view text) {
  skip(text, "-");
  const bool has_leading_zero = text.starts_with('0');
  const size_t digits = skip_digits(text);
  if (digits == 0 || (has_leading_zero && digits > 1)) return false;
  if (skip(text, ".") && skip_digits(text) == 0) return false;
  if (skip(text, "eE")) {
    skip(text, "+-");
    if (skip_digits(text) == 0) return false;
  }
  return text.empty();
}

template <typename T>
bool fits(std::string_view number) {
  T value{};
  return std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc();
}

bool is_large(std::string_view number) {
  const bool is_integer = number.find_first_of(".eE") == std::string_view::npos;
  return is_integer ? !fits<int64_t>(number) && !fits<uint64_t>(number) : !fits<double>(number);
}

// One past the string's closing quote.
size_t end_of_string(std::string_view json, size_t begin) {
  size_t at = begin + 1;
  while (at < json.size() && json[at] != '"') at += json[at] == '\\' ? 2U : 1U;
  return std::min(at + 1, json.size());
}

}  // namespace

bool replace_large_numbers(std::span<char> json) {
  bool has_replaced = false;
  const std::string_view text(json.data(), json.size());
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      at = end_of_string(text, at);
      continue;
    }
    const size_t end = std::min(text.find_first_not_of("0123456789+-.eE", at), text.size());
    const std::string_view token = text.substr(at, end - at);
    if (is_number(token) && is_large(token)) {
      std::ranges::fill(json.subspan(at, token.size()), ' ');
      std::ranges::copy(std::string_view("0.0"), json.subspan(at).begin());
      has_replaced = true;
    }
    at = std::max(end, at + 1);
  }
  return has_replaced;
}

}  // namespace sluice
