#include "http_target.h"

#include <fmt/format.h>

#include <iterator>

namespace sluice {
namespace {

constexpr size_t kParametersMax = 16;

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return std::nullopt;
}

Result<std::string> decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const auto high = i + 1 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
      const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
      if (!high || !low) return failure("a % in the path is not followed by two hex digits");
      c = static_cast<char>(*high << 4U | *low);
      i += 2;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) return failure("the path has a control character in it");
    out += c;
  }
  return out;
}

// The text before the first `mark`; `text` keeps what comes behind it.
std::string_view take_until(std::string_view& text, char mark) {
  const std::string_view front = text.substr(0, text.find(mark));
  text.remove_prefix(front.size() == text.size() ? front.size() : front.size() + 1);
  return front;
}

}  // namespace

std::optional<std::string_view> HttpTarget::parameter(std::string_view name) const {
  for (const auto& [its_name, value] : query) {
    if (its_name == name) return value;
  }
  return std::nullopt;
}

Result<HttpTarget> parse_target(std::string_view target) {
  if (!target.starts_with('/')) return failure("the request's target is not a path");
  HttpTarget result;
  std::string_view query = target;
  std::string_view path = take_until(query, '?');
  path.remove_prefix(1);
  while (true) {
    const size_t slash = path.find('/');
    auto segment = decode(path.substr(0, slash));
    if (!segment) return tl::unexpected(segment.error());
    result.segments.push_back(std::move(*segment));
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  while (!query.empty()) {
    if (result.query.size() == kParametersMax) return failure("the query has too many parameters");
    std::string_view value = take_until(query, '&');
    auto name = decode(take_until(value, '='));
    auto decoded = decode(value);
    if (!name) return tl::unexpected(name.error());
    if (!decoded) return tl::unexpected(decoded.error());
    result.query.emplace_back(std::move(*name), std::move(*decoded));
  }
  return result;
}

std::string escape_segment(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == ':' ||
                          c == '@' || c == '~';
    if (is_plain) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace sluice
