#include "ctl_text.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

namespace sluice {

using simdjson::dom::element;

// C0 and DEL, and C1 as UTF-8 has it: U+009B is as good as ESC [ to some.
std::string printable(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    const bool is_c1 = byte == 0xC2 && next >= 0x80 && next < 0xA0;
    if (is_c1) ++i;
    out += byte < 0x20 || byte == 0x7F || is_c1 ? '?' : text[i];
  }
  return out;
}

std::string text(element parent, std::string_view key) {
  const element value = parent[key];
  if (value.is_null()) return "-";
  if (value.is_string()) return printable(value);
  if (value.is_bool()) return bool(value) ? "yes" : "no";
  if (value.is_double()) return fmt::format("{}", double(value));
  return fmt::format("{}", int64_t(value));
}

std::string duration_text(int64_t ms) {
  constexpr int64_t kMinute = 60'000;
  constexpr int64_t kHour = 60 * kMinute;
  constexpr int64_t kDay = 24 * kHour;
  if (ms < 1000) return fmt::format("{}ms", ms);
  if (ms < kMinute) return fmt::format("{:.1f}s", static_cast<double>(ms) / 1000);
  if (ms < kHour) return fmt::format("{}m{:02}s", ms / kMinute, ms % kMinute / 1000);
  if (ms < kDay) return fmt::format("{}h{:02}m", ms / kHour, ms % kHour / kMinute);
  return fmt::format("{}d{:02}h", ms / kDay, ms % kDay / kHour);
}

std::string bytes_text(int64_t bytes) {
  constexpr std::string_view kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto amount = static_cast<double>(bytes);
  size_t unit = 0;
  while (amount >= 1024 && unit + 1 < std::size(kUnits)) {
    amount /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{}B", bytes) : fmt::format("{:.1f}{}", amount, kUnits[unit]);
}

TextColor color_of(std::string_view state) {
  for (const std::string_view good : {"ready", "healthy", "closed", "accepting", "normal"}) {
    if (state == good) return TextColor::good;
  }
  for (const std::string_view bad : {"unhealthy", "open", "panic"}) {
    if (state == bad) return TextColor::bad;
  }
  for (const std::string_view odd : {"draining", "maintenance", "half_open", "starting"}) {
    if (state == odd) return TextColor::warning;
  }
  return TextColor::none;
}

TextCell state_cell(element parent, std::string_view key) {
  std::string state = text(parent, key);
  const TextColor color = color_of(state);
  return {std::move(state), color};
}

}  // namespace sluice
