#include "read_value.h"

#include <fmt/format.h>

#include "sluice/config/schema.h"
#include "suggest.h"
#include "text.h"

namespace sluice {
namespace {

// What goes before the type's description in a sentence.
std::string_view article(Kind kind) {
  switch (kind) {
    case Kind::boolean:
    case Kind::choice:
    case Kind::text:
    case Kind::payload:
    case Kind::line_format:
      return "";
    case Kind::file_mode:
    case Kind::bind_address:
    case Kind::peer_address:
    case Kind::source_address:
    case Kind::status_range:
      return "an ";
    default:
      return "a ";
  }
}

}  // namespace

void Reading::complain(const Place& place, std::string_view what) {
  problems.error(place, fmt::format("{}: {}", key, what));
}

std::string suggest_setting(std::string_view key, std::span<const std::string_view> known) {
  if (std::string suggestion = did_you_mean(key, known); !suggestion.empty()) return suggestion;
  if (key == "<<") return "; merge keys are not part of YAML 1.2";
  for (const SchemaRow& row : schema_rows()) {
    const size_t dot = row.path.rfind('.');
    if (dot != std::string::npos && std::string_view(row.path).substr(dot + 1) == key) {
      return fmt::format("; there is {}", row.path);
    }
  }
  return "";
}

std::string expected(const Type& type, const Node& node) {
  return fmt::format("expected {}{}, not {}", article(type.kind), describe(type), describe(node));
}

void read_value(const Node& node, const Type& type, std::string& out, Reading& reading) {
  const bool may_be_hex = type.kind == Kind::payload && node.kind == Node::Kind::map;
  const Node* hex = may_be_hex && node.entries.size() == 1 ? node.find("hex") : nullptr;
  if (hex == nullptr) return read_value<std::string>(node, type, out, reading);
  if (hex->is_broken) return;
  std::string bytes;
  if (!hex->is_scalar()) return reading.complain(hex->place, expected(text(0), *hex));
  auto complaint = parse_hex(hex->text, bytes);
  if (!complaint) complaint = parse_scalar(bytes, type, out);
  if (complaint) reading.complain(hex->place, *complaint);
}

}  // namespace sluice
