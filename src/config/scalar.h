// Strict converters between a scalar's text and a field. Each writes `out` and returns nothing, or
// returns what is wrong in words that follow the setting's name and a colon, and leaves `out`
// alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "sluice/base/address.h"
#include "sluice/base/time.h"
#include "sluice/config/config.h"
#include "type.h"

namespace sluice {

using Complaint = std::optional<std::string>;

Complaint parse_scalar(std::string_view text, const Type& type, bool& out);
Complaint parse_scalar(std::string_view text, const Type& type, uint32_t& out);  // or a file mode
Complaint parse_scalar(std::string_view text, const Type& type, uint16_t& out);
Complaint parse_scalar(std::string_view text, const Type& type, double& out);
Complaint parse_scalar(std::string_view text, const Type& type, Duration& out);
Complaint parse_scalar(std::string_view text, const Type& type, std::string& out);
Complaint parse_scalar(std::string_view text, const Type& type, Address& out);
Complaint parse_scalar(std::string_view text, const Type& type, StatusRange& out);

// The index of a choice.
Complaint parse_choice(std::string_view text, const Type& type, size_t& out);

// Pairs of hexadecimal digits, blanks between pairs allowed.
Complaint parse_hex(std::string_view text, std::string& out);

// The words for "no value": `false` says `off` too.
bool says_none(std::string_view text, const Type& type);
// Whether the text switches a section on that may be off: `on`, or `true`.
bool says_on(std::string_view text, const Type& type);

template <typename Choice>
requires std::is_enum_v<Choice> Complaint parse_scalar(std::string_view text, const Type& type,
                                                       Choice& out) {
  size_t index = 0;
  if (auto complaint = parse_choice(text, type, index)) return complaint;
  out = static_cast<Choice>(index);
  return std::nullopt;
}

template <typename T>
Complaint parse_scalar(std::string_view text, const Type& type, std::optional<T>& out) {
  if (says_none(text, type)) {
    out.reset();
    return std::nullopt;
  }
  T value{};
  if (auto complaint = parse_scalar(text, type, value)) return complaint;
  out = std::move(value);
  return std::nullopt;
}

// The same value as YAML, so that parse_scalar() reads it back.
std::string format_duration(Duration value);
std::string format_scalar(bool value, const Type& type);
std::string format_scalar(uint32_t value, const Type& type);
std::string format_scalar(uint16_t value, const Type& type);
std::string format_scalar(double value, const Type& type);
std::string format_scalar(Duration value, const Type& type);
std::string format_scalar(const std::string& value, const Type& type);
std::string format_scalar(const Address& value, const Type& type);
std::string format_scalar(const StatusRange& value, const Type& type);
std::string format_scalar(const AccessLogFormat& value, const Type& type);

template <typename Choice>
requires std::is_enum_v<Choice> std::string format_scalar(Choice value, const Type& type) {
  return std::string(type.choices.at(static_cast<size_t>(value)));
}

template <typename T>
std::string format_scalar(const std::optional<T>& value, const Type& type) {
  return value ? format_scalar(*value, type) : std::string(type.none);
}

}  // namespace sluice
