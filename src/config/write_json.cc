#include "write_json.h"

#include <algorithm>

#include "read_rows.h"
#include "sluice/config/schema.h"

namespace sluice {
namespace {

constexpr std::string_view kHex = "{hex: ";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// As JSON writes one: no sign and no exponent come from a row.
bool is_number(std::string_view text) {
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view part = point == std::string_view::npos ? "0" : text.substr(point + 1);
  const auto all_digits = [](std::string_view digits) {
    return !digits.empty() && std::all_of(digits.begin(), digits.end(), is_digit);
  };
  const bool has_leading_zero = whole.size() > 1 && whole.front() == '0';
  return all_digits(whole) && all_digits(part) && !has_leading_zero;
}

void write_scalar(std::string_view shown, JsonWriter& json) {
  const bool is_json =
      shown.starts_with('"') || shown == "true" || shown == "false" || is_number(shown);
  if (is_json) {
    json.raw(shown);
  } else if (shown.starts_with(kHex)) {
    json.begin_object();
    json.key("hex");
    json.raw(shown.substr(kHex.size(), shown.size() - kHex.size() - 1));
    json.end_object();
  } else {
    json.value(shown);
  }
}

// Where the first member of `list` ends; a comma in a quoted text ends nothing.
size_t end_of_member(std::string_view list) {
  bool is_quoted = false;
  for (size_t i = 0; i < list.size(); ++i) {
    if (is_quoted && list[i] == '\\') {
      ++i;
    } else if (list[i] == '"') {
      is_quoted = !is_quoted;
    } else if (!is_quoted && list[i] == ',') {
      return i;
    }
  }
  return list.size();
}

}  // namespace

void write_json_value(std::string_view shown, JsonWriter& json) {
  if (!shown.starts_with('[')) return write_scalar(shown, json);
  json.begin_array();
  std::string_view rest = shown.substr(1, shown.size() - 2);
  while (!rest.empty()) {
    const size_t end = end_of_member(rest);
    write_scalar(rest.substr(0, end), json);
    rest.remove_prefix(std::min(rest.size(), end + 2));  // ", "
  }
  json.end_array();
}

std::string render_effective_config_json(const Config& config) {
  std::string out;
  JsonWriter json(out);
  write_json_rows(config_table(), "", config, json);
  return out;
}

}  // namespace sluice
