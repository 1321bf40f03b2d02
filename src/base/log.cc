#include "sluice/base/log.h"

#include <fmt/format.h>

#include <iterator>

#include "sluice/base/json.h"
#include "sluice/base/log_value.h"
#include "sluice/base/wall_time.h"

namespace sluice {
namespace {

using Fields = std::span<const LogField>;

std::string json_line(LogLevel level, std::string_view event, std::string_view message,
                      Fields fields) {
  std::string line = fmt::format(R"({{"time":"{}","level":"{}","message":)",
                                 format_rfc3339(WallTime::clock::now()), name(level));
  append_json_string(line, message);
  line += ",\"event\":";
  append_json_string(line, event);
  for (const LogField& field : fields) {
    line += ',';
    append_json_string(line, field.key);
    line += ':';
    if (const auto* number = std::get_if<int64_t>(&field.value)) {
      fmt::format_to(std::back_inserter(line), "{}", *number);
    } else {
      append_json_string(line, std::get<std::string>(field.value));
    }
  }
  line += '}';
  return line;
}

// Escape codes of ECMA-48: faint, none, yellow, red.
constexpr std::string_view color_of(LogLevel level) {
  constexpr std::string_view kColors[] = {"\x1b[2m", "", "\x1b[33m", "\x1b[31m"};
  return kColors[static_cast<size_t>(level)];
}

std::string text_line(LogLevel level, std::string_view event, std::string_view message,
                      Fields fields, bool use_color) {
  const std::string_view color = use_color ? color_of(level) : "";
  std::string line = fmt::format("{} {}{:<7}{} ", format_rfc3339(WallTime::clock::now()), color,
                                 name(level), color.empty() ? "" : "\x1b[0m");
  append_one_line(line, message);
  fmt::format_to(std::back_inserter(line), "  event={}", event);
  for (const LogField& field : fields) {
    fmt::format_to(std::back_inserter(line), " {}=", field.key);
    if (const auto* number = std::get_if<int64_t>(&field.value)) {
      fmt::format_to(std::back_inserter(line), "{}", *number);
    } else {
      append_log_value(line, std::get<std::string>(field.value));
    }
  }
  return line;
}

}  // namespace

void Log::write(LogLevel level, std::string_view event, std::string_view message, Fields fields) {
  if (!wants(level)) return;
  writer_.write(level, options_.format == LogFormat::json
                           ? json_line(level, event, message, fields)
                           : text_line(level, event, message, fields, options_.use_color));
}

}  // namespace sluice
