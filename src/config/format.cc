#include <fmt/format.h>

#include <array>
#include <utility>

#include "scalar.h"
#include "sluice/base/json.h"
#include "text.h"

namespace sluice {
namespace {

// A JSON string is a double-quoted YAML scalar, except that a dollar would begin a variable.
std::string quoted(std::string_view text) {
  std::string dollars_doubled;
  for (const char c : text) dollars_doubled += c == '$' ? std::string("$$") : std::string(1, c);
  std::string out;
  append_json_string(out, dollars_doubled);
  return out;
}

}  // namespace

std::string format_duration(Duration value) {
  constexpr std::array<std::pair<std::string_view, int64_t>, 4> kUnits = {
      {{"h", 3'600'000'000'000}, {"m", 60'000'000'000}, {"s", 1'000'000'000}, {"ms", 1'000'000}}};
  constexpr int64_t kMicrosecond = 1'000;
  const bool is_short = value < std::chrono::milliseconds(1) && value.count() > 0;
  if (is_short && value.count() % kMicrosecond == 0) {
    return fmt::format("{}us", value.count() / kMicrosecond);
  }
  for (const auto& [word, nanoseconds] : kUnits) {
    if (value.count() != 0 && value.count() % nanoseconds == 0) {
      return fmt::format("{}{}", value.count() / nanoseconds, word);
    }
  }
  if (value.count() == 0) return "0s";
  // Finer than the smallest unit: six decimals of a millisecond are nanoseconds.
  return fmt::format("{}.{:06}ms", value.count() / 1'000'000, value.count() % 1'000'000);
}

std::string format_scalar(bool value, const Type& /*type*/) { return value ? "true" : "false"; }

std::string format_scalar(uint32_t value, const Type& type) {
  return type.kind == Kind::file_mode ? fmt::format("\"{:04o}\"", value) : fmt::format("{}", value);
}

std::string format_scalar(uint16_t value, const Type& /*type*/) { return fmt::format("{}", value); }

// Without an exponent, which the reader does not take.
std::string format_scalar(double value, const Type& /*type*/) {
  std::string out = fmt::format("{:.6f}", value);
  out.erase(out.find_last_not_of('0') + 1);
  if (out.ends_with('.')) out.pop_back();
  return out;
}

std::string format_scalar(Duration value, const Type& /*type*/) { return format_duration(value); }

std::string format_scalar(const std::string& value, const Type& type) {
  if (value.empty()) return "";  // as if not given
  if (type.kind == Kind::payload && find_invalid_utf8(value)) {
    return fmt::format(
        "{{hex: \"{:02x}\"}}",
        fmt::join(reinterpret_cast<const uint8_t*>(value.data()),
                  reinterpret_cast<const uint8_t*>(value.data()) + value.size(), ""));
  }
  return quoted(value);
}

std::string format_scalar(const StatusRange& value, const Type& /*type*/) {
  if (value.first == value.last) return fmt::format("{}", value.first);
  return fmt::format("{}-{}", value.first, value.last);
}

std::string format_scalar(const AccessLogFormat& value, const Type& /*type*/) {
  return value.kind() == AccessLogFormat::Kind::custom ? quoted(value.source()) : value.source();
}

std::string format_scalar(const Address& value, const Type& type) {
  return quoted(type.kind == Kind::source_address ? value.host_string() : value.to_string());
}

}  // namespace sluice
