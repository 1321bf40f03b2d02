#include "scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <utility>

#include "suggest.h"
#include "text.h"

namespace sluice {
namespace {

constexpr size_t kNameBytesMax = 128;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_octal_digit(char c) { return c >= '0' && c <= '7'; }

std::string quoted(std::string_view text) { return fmt::format("'{}'", excerpt(text)); }

std::string out_of_range(std::string_view text, const Type& type) {
  const bool would_be_off = type.none == "off" && (text == "0" || text.starts_with("0"));
  return fmt::format("{} is out of range: {}{}", quoted(text), describe_range(type),
                     would_be_off ? ", or off" : "");
}

// Decimal digits without a leading zero: `010` is 8 to some readers of YAML and 10 to others.
Complaint parse_integer(std::string_view text, const Type& type, int64_t& out) {
  const bool is_number = !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
  if (!is_number) {
    return fmt::format("expected a whole number, {}{}, not {}", describe_range(type),
                       type.none.empty() ? "" : fmt::format(", or {}", type.none), quoted(text));
  }
  if (text.size() > 1 && text.front() == '0') {
    return fmt::format("{} is not a decimal number: leave the leading zero out", quoted(text));
  }
  int64_t value = 0;
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || value < type.least || value > type.greatest) {
    return out_of_range(text, type);
  }
  out = value;
  return std::nullopt;
}

Complaint parse_file_mode(std::string_view text, uint32_t& out) {
  const bool is_octal =
      text.size() >= 3 && text.size() <= 4 && std::all_of(text.begin(), text.end(), is_octal_digit);
  if (!is_octal || (text.size() == 4 && text.front() != '0')) {
    return fmt::format("expected octal digits as in \"0660\", not {}", quoted(text));
  }
  std::from_chars(text.data(), text.data() + text.size(), out, 8);
  return std::nullopt;
}

struct Unit {
  std::string_view word;
  int64_t nanoseconds;
};

constexpr std::array<Unit, 5> kUnits = {{{"us", 1'000},
                                         {"ms", 1'000'000},
                                         {"s", 1'000'000'000},
                                         {"m", 60'000'000'000},
                                         {"h", 3'600'000'000'000}}};

// Digits with at most one point among them, as nanoseconds; nothing when it is no such number,
// "too large" as the largest value there is.
std::optional<int64_t> scaled(std::string_view number, int64_t unit) {
  const size_t point = std::min(number.find('.'), number.size());
  const std::string_view whole = number.substr(0, point);
  const std::string_view fraction = number.substr(std::min(point + 1, number.size()));
  const auto are_digits = [](std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), is_digit);
  };
  if (!are_digits(whole) || (point != number.size() && !are_digits(fraction))) return std::nullopt;
  int64_t value = 0;
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const auto [stop, problem] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
  if (problem != std::errc{} || value > kMax / unit - 1) return kMax;
  value *= unit;
  int64_t step = unit / 10;
  for (const char digit : fraction) {
    value += (digit - '0') * step;
    step /= 10;
  }
  return value;
}

Complaint parse_name(std::string_view text, std::string& out) {
  const auto is_allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("._:/@[]-").find(c) != std::string_view::npos;
  };
  if (text.empty() || text.size() > kNameBytesMax) {
    return fmt::format("a name has 1 to {} characters", kNameBytesMax);
  }
  if (!std::all_of(text.begin(), text.end(), is_allowed)) {
    return fmt::format("a name is made of letters, digits and . _ - : / @ [ ], not {}",
                       quoted(text));
  }
  out = text;
  return std::nullopt;
}

Complaint parse_source_address(std::string_view text, Address& out) {
  auto address = Address::parse(text);
  if (!address) address = Address::parse(fmt::format("{}:0", text));
  if (!address) address = Address::parse(fmt::format("[{}]:0", text));
  if (!address || !address->is_ip()) {
    return fmt::format("expected an IP address as in 10.0.0.1 or \"fd00::1\", not {}",
                       quoted(text));
  }
  out = address->with_port(0);
  return std::nullopt;
}

}  // namespace

bool says_none(std::string_view text, const Type& type) {
  if (type.none.empty()) return false;
  return text == type.none || (type.none == "off" && text == "false");
}

bool says_on(std::string_view text, const Type& type) {
  return type.none == "off" && (text == "on" || text == "true");
}

Complaint parse_scalar(std::string_view text, const Type& /*type*/, bool& out) {
  if (text != "true" && text != "false") {
    return fmt::format("expected true or false, not {}", quoted(text));
  }
  out = text == "true";
  return std::nullopt;
}

Complaint parse_scalar(std::string_view text, const Type& type, uint32_t& out) {
  if (type.kind == Kind::file_mode) return parse_file_mode(text, out);
  int64_t value = 0;
  if (auto complaint = parse_integer(text, type, value)) return complaint;
  out = static_cast<uint32_t>(value);
  return std::nullopt;
}

Complaint parse_scalar(std::string_view text, const Type& type, uint16_t& out) {
  int64_t value = 0;
  if (auto complaint = parse_integer(text, type, value)) return complaint;
  out = static_cast<uint16_t>(value);
  return std::nullopt;
}

Complaint parse_scalar(std::string_view text, const Type& type, double& out) {
  if (text.ends_with('%')) return fmt::format("write {} without the %", quoted(text));
  // One millionth as the unit: exact enough for a percentage, and no sign, exponent or `nan`.
  const auto millionths = scaled(text, 1'000'000);
  const bool has_extra_zero = text.size() > 1 && text[0] == '0' && is_digit(text[1]);
  if (!millionths || has_extra_zero) {
    return fmt::format("expected a number, {}, not {}", describe_range(type), quoted(text));
  }
  const double value = static_cast<double>(*millionths) / 1e6;
  if (value < static_cast<double>(type.least) || value > static_cast<double>(type.greatest)) {
    return out_of_range(text, type);
  }
  out = value;
  return std::nullopt;
}

Complaint parse_scalar(std::string_view text, const Type& type, Duration& out) {
  const size_t unit_at = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view number = text.substr(0, unit_at);
  const std::string_view word = text.substr(unit_at);
  if (word.empty() && scaled(number, 1)) {
    return fmt::format("a duration needs a unit: {0}ms, {0}s, {0}m or {0}h", excerpt(text));
  }
  const auto unit = std::find_if(kUnits.begin(), kUnits.end(),
                                 [&](const Unit& candidate) { return candidate.word == word; });
  if (word == "us" && !type.counts_microseconds) {
    return fmt::format("{} is finer than this setting goes: {}", quoted(text),
                       describe_range(type));
  }
  const auto value = unit == kUnits.end() ? std::nullopt : scaled(number, unit->nanoseconds);
  if (!value) {
    return fmt::format("expected a duration as in 250ms, 5s, 1m or 2h{}, not {}",
                       type.none.empty() ? "" : fmt::format(", or {}", type.none), quoted(text));
  }
  if (*value < type.least || *value > type.greatest) return out_of_range(text, type);
  if (type.counts_seconds && *value % 1'000'000'000 != 0) {
    return fmt::format("{} is not in whole seconds, and the kernel counts in those", quoted(text));
  }
  out = Duration(*value);
  return std::nullopt;
}

Complaint parse_scalar(std::string_view text, const Type& type, std::string& out) {
  if (type.kind == Kind::name) return parse_name(text, out);
  if (text.size() > static_cast<size_t>(type.greatest)) {
    return fmt::format("{} bytes are too many: at most {}", text.size(), type.greatest);
  }
  if (text.size() < static_cast<size_t>(type.least)) return "expected a text, not nothing";
  if (type.kind == Kind::text && text.find('\0') != std::string_view::npos) {
    return "a NUL byte cannot be in here";
  }
  out = text;
  return std::nullopt;
}

Complaint parse_scalar(std::string_view text, const Type& type, Address& out) {
  if (type.kind == Kind::source_address) return parse_source_address(text, out);
  auto address = Address::parse(text);
  if (!address) return excerpt(address.error().message);
  if (type.kind == Kind::bind_address && address->is_name()) {
    return fmt::format("{} is a host name; here an IP address is needed, as in 127.0.0.1:{}",
                       quoted(text), address->port());
  }
  if (type.kind == Kind::peer_address && !address->is_unix() && address->port() == 0) {
    return fmt::format("{}: nobody can connect to port 0", quoted(text));
  }
  out = *std::move(address);
  return std::nullopt;
}

Complaint parse_scalar(std::string_view text, const Type& type, StatusRange& out) {
  const size_t dash = std::min(text.find('-'), text.size());
  StatusRange range;
  if (auto complaint = parse_scalar(text.substr(0, dash), type, range.first)) return complaint;
  range.last = range.first;
  if (dash < text.size()) {
    if (auto complaint = parse_scalar(text.substr(dash + 1), type, range.last)) return complaint;
  }
  if (range.last < range.first) {
    return fmt::format("{} is empty: write {}-{}", quoted(text), range.last, range.first);
  }
  out = range;
  return std::nullopt;
}

Complaint parse_choice(std::string_view text, const Type& type, size_t& out) {
  const auto find = [&](std::string_view word) {
    return std::find(type.choices.begin(), type.choices.end(), word);
  };
  const bool is_off = text == "false" && find("off") != type.choices.end();
  const auto found = find(is_off ? "off" : text);
  if (found != type.choices.end()) {
    out = static_cast<size_t>(found - type.choices.begin());
    return std::nullopt;
  }
  return fmt::format("expected {}, not {}{}", describe(type), quoted(text),
                     did_you_mean(text, type.choices));
}

Complaint parse_hex(std::string_view text, std::string& out) {
  std::string bytes;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == ' ' || text[i] == '\n') {
      ++i;
      continue;
    }
    uint8_t byte = 0;
    const std::string_view pair = text.substr(i, 2);
    const auto [stop, problem] = std::from_chars(pair.data(), pair.data() + pair.size(), byte, 16);
    if (problem != std::errc{} || pair.size() != 2 || stop != pair.data() + 2) {
      return fmt::format("expected pairs of hexadecimal digits, not {}", quoted(text.substr(i)));
    }
    bytes += static_cast<char>(byte);
    i += 2;
  }
  out = std::move(bytes);
  return std::nullopt;
}

}  // namespace sluice
