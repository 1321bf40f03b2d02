#include "type.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "scalar.h"

namespace sluice {
namespace {

std::string_view noun(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return "true or false";
    case Kind::integer:
      return "whole number";
    case Kind::percent:
      return "percentage";
    case Kind::decimal:
      return "number";
    case Kind::duration:
      return "duration";
    case Kind::choice:
    case Kind::text:
      return "text";
    case Kind::file_mode:
      return "octal file mode";
    case Kind::name:
      return "name";
    case Kind::bind_address:
      return "IP address with port, or unix socket";
    case Kind::peer_address:
      return "IP address or host name with port, or unix socket";
    case Kind::source_address:
      return "IP address";
    case Kind::payload:
      return "text, or {hex: digits}";
    case Kind::status_range:
      return "HTTP status or a range of them";
    case Kind::line_format:
      return "text, json or a template";
    case Kind::section:
      return "map";
    case Kind::list:
      return "list of maps";
  }
  return "";
}

std::string with_choices(const Type& type) {
  std::vector<std::string_view> words = type.choices;
  if (words.size() < 2) return fmt::format("{}", fmt::join(words, ""));
  const std::string_view last = words.back();
  words.pop_back();
  return fmt::format("{} or {}", fmt::join(words, ", "), last);
}

}  // namespace

Type Type::or_none(std::string_view word) const {
  Type type = *this;
  type.none = word;
  return type;
}

Type Type::in_seconds() const {
  Type type = *this;
  type.counts_seconds = true;
  return type;
}

Type Type::in_microseconds() const {
  Type type = *this;
  type.counts_microseconds = true;
  return type;
}

Type Type::or_list() const {
  Type type = *this;
  type.may_be_one = true;
  return type;
}

Type boolean() { return {.kind = Kind::boolean}; }

Type integer(int64_t least, int64_t greatest) {
  return {.kind = Kind::integer, .least = least, .greatest = greatest};
}

Type percent() { return {.kind = Kind::percent, .least = 0, .greatest = 100}; }

Type decimal(int64_t least, int64_t greatest) {
  return {.kind = Kind::decimal, .least = least, .greatest = greatest};
}

Type duration(Duration least, Duration greatest) {
  return {.kind = Kind::duration, .least = least.count(), .greatest = greatest.count()};
}

Type choice(std::vector<std::string_view> choices) {
  return {.kind = Kind::choice, .choices = std::move(choices)};
}

Type text(int64_t bytes_max) { return {.kind = Kind::text, .least = 1, .greatest = bytes_max}; }
Type file_mode() { return {.kind = Kind::file_mode}; }
Type name_type() { return {.kind = Kind::name}; }
Type bind_address() { return {.kind = Kind::bind_address}; }
Type peer_address() { return {.kind = Kind::peer_address}; }
Type source_address() { return {.kind = Kind::source_address}; }

Type payload(int64_t bytes_max) {
  return {.kind = Kind::payload, .least = 0, .greatest = bytes_max};
}

// 1xx answers come before the one that counts.
Type status_range() { return {.kind = Kind::status_range, .least = 200, .greatest = 599}; }

Type line_format(int64_t bytes_max) {
  return {.kind = Kind::line_format, .least = 1, .greatest = bytes_max};
}

Type section(std::string_view shorthand) { return {.kind = Kind::section, .shorthand = shorthand}; }
Type list(std::string_view shorthand) { return {.kind = Kind::list, .shorthand = shorthand}; }

std::string describe_range(const Type& type) {
  switch (type.kind) {
    case Kind::integer:
    case Kind::percent:
    case Kind::decimal:
    case Kind::status_range:
      return fmt::format("{} to {}", type.least, type.greatest);
    case Kind::duration:
      return fmt::format("{} to {}", format_duration(Duration(type.least)),
                         format_duration(Duration(type.greatest)));
    default:
      return "";
  }
}

std::string describe(const Type& type) {
  std::string out(type.kind == Kind::choice ? with_choices(type) : noun(type.kind));
  if (const std::string range = describe_range(type); !range.empty()) out += ", " + range;
  if (type.may_be_one) out += "; one or a list";
  if (type.kind == Kind::section && type.none == "off") return out + ", on or off";
  if (!type.none.empty()) out += fmt::format(", or {}", type.none);
  if (type.kind == Kind::list && !type.shorthand.empty()) {
    return fmt::format("list of maps or of their `{}` alone", type.shorthand);
  }
  if (!type.shorthand.empty()) out += fmt::format(", or its `{}` alone", type.shorthand);
  return out;
}

}  // namespace sluice
