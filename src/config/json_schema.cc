#include <fmt/format.h>

#include <string>
#include <string_view>

#include "read_rows.h"
#include "sluice/base/json.h"
#include "sluice/config/schema.h"

namespace sluice {
namespace {

std::string json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string one_of_words(const std::vector<std::string_view>& words) {
  std::string out = "{\"enum\": [";
  for (size_t i = 0; i < words.size(); ++i) out += (i == 0 ? "" : ", ") + json(words[i]);
  return out + "]}";
}

// `member` alone, or a list of them.
std::string one_or_list(const std::string& member) {
  return fmt::format(R"({{"anyOf": [{0}, {{"type": "array", "minItems": 1, "items": {0}}}]}})",
                     member);
}

// The schema of a value, not counting the word for none and variables.
std::string plain_value(const Type& type) {
  switch (type.kind) {
    case Kind::boolean:
      return R"({"type": "boolean"})";
    case Kind::integer:
      return fmt::format(R"({{"type": "integer", "minimum": {}, "maximum": {}}})", type.least,
                         type.greatest);
    case Kind::percent:
    case Kind::decimal:
      return fmt::format(R"({{"type": "number", "minimum": {}, "maximum": {}}})", type.least,
                         type.greatest);
    case Kind::duration:
      return fmt::format(R"({{"type": "string", "pattern": "^[0-9]+([.][0-9]+)?({}ms|s|m|h)$"}})",
                         type.counts_microseconds ? "us|" : "");
    case Kind::choice:
      return one_of_words(type.choices);
    case Kind::text:
      return R"({"type": "string", "minLength": 1})";
    case Kind::file_mode:
      return R"({"type": "string", "pattern": "^0?[0-7]{3}$"})";
    case Kind::name:
      return R"({"type": "string", "minLength": 1, "maxLength": 128})";
    case Kind::bind_address:
    case Kind::peer_address:
      return R"({"type": "string", "pattern": "^(unix:.+|.+:[0-9]+)$"})";
    case Kind::source_address:
      return R"({"type": "string"})";
    case Kind::payload:
      return R"({"anyOf": [{"type": "string"}, {"type": "object", "required": ["hex"], )"
             R"("additionalProperties": false, "properties": {"hex": {"type": "string"}}}]})";
    case Kind::status_range:
      return fmt::format(
          R"({{"anyOf": [{{"type": "integer", "minimum": {}, "maximum": {}}}, )"
          R"({{"type": "string", "pattern": "^[2-5][0-9]{{2}}-[2-5][0-9]{{2}}$"}}]}})",
          type.least, type.greatest);
    case Kind::line_format:
      return R"({"anyOf": [{"enum": ["text", "json"]}, {"type": "string", "pattern": "%"}]})";
    case Kind::section:
    case Kind::list:
      break;  // have a schema of their own
  }
  return "{}";
}

// With everything else the reader takes in its place. A member of an object, without its braces.
std::string any_of(const Type& type) {
  const std::string plain = type.may_be_one ? one_or_list(plain_value(type)) : plain_value(type);
  std::string out = fmt::format(R"("anyOf": [{}, {{"$ref": "#/$defs/variable"}})", plain);
  if (!type.none.empty()) out += fmt::format(R"(, {{"const": {}}})", json(type.none));
  if (type.none == "off") out += R"(, {"const": false})";
  return out + "]";
}

std::string value(const Type& type) { return fmt::format("{{{}}}", any_of(type)); }

// The schemas of the scopes, written as text in the order of their rows.
class Writer {
 public:
  std::string write();

 private:
  void line(size_t indentation, std::string_view text) {
    out_ += fmt::format("{:{}}{}\n", "", indentation, text);
  }
  template <typename Scope>
  void object(const Table<Scope>& table, std::string_view prefix, size_t indentation);
  template <typename Scope>
  std::string alternatives(const Table<Scope>& table, const Row<Scope>& row) const;
  template <typename Scope>
  void property(const Table<Scope>& table, const Row<Scope>& row, std::string_view key,
                size_t indentation, std::string_view comma);
  template <typename Scope>
  void definition(std::string_view name, const Table<Scope>& table, std::string_view comma);

  std::string out_;
};

// What may stand in place of a map.
template <typename Scope>
std::string Writer::alternatives(const Table<Scope>& table, const Row<Scope>& row) const {
  if (!row.type.none.empty()) return R"({"enum": ["on", "off", true, false]}, )";
  if (row.type.shorthand.empty()) return "";
  const Row<Scope>* shorthand = table.find(fmt::format("{}.{}", row.key, row.type.shorthand));
  return value(shorthand->type) + ", ";
}

template <typename Scope>
void Writer::property(const Table<Scope>& table, const Row<Scope>& row, std::string_view key,
                      size_t indentation, std::string_view comma) {
  const std::string head = fmt::format("{}: {{\"description\": {}, ", json(key), json(row.help));
  if (row.type.kind == Kind::list) {
    line(indentation, fmt::format(R"({}"type": "array", "items": {{"$ref": "#/$defs/{}"}}}}{})",
                                  head, key, comma));
  } else if (row.type.kind == Kind::section) {
    line(indentation, fmt::format(R"({}"anyOf": [{}{{)", head, alternatives(table, row)));
    object(table, fmt::format("{}.", row.key), indentation + 2);
    line(indentation, fmt::format("}}]}}{}", comma));
  } else {
    line(indentation, fmt::format("{}{}}}{}", head, any_of(row.type), comma));
  }
}

template <typename Scope>
void Writer::object(const Table<Scope>& table, std::string_view prefix, size_t indentation) {
  std::string required;
  for (const Row<Scope>& row : table.rows) {
    if (row.presence != Presence::required || !prefix.empty()) continue;
    required += (required.empty() ? "" : ", ") + json(row.key);
  }
  line(indentation,
       fmt::format(R"("type": "object", "additionalProperties": false, "required": [{}],)",
                   required));
  line(indentation, R"("properties": {)");
  const std::vector<std::string_view> keys = keys_below(table, prefix);
  for (size_t i = 0; i < keys.size(); ++i) {
    const Row<Scope>& row = *table.find(fmt::format("{}{}", prefix, keys[i]));
    property(table, row, keys[i], indentation + 2, i + 1 < keys.size() ? "," : "");
  }
  line(indentation, "}");
}

template <typename Scope>
void Writer::definition(std::string_view name, const Table<Scope>& table, std::string_view comma) {
  line(4, fmt::format("{}: {{", json(name)));
  object(table, "", 6);
  line(4, fmt::format("}}{}", comma));
}

std::string Writer::write() {
  line(0, "{");
  line(2, R"("$schema": "https://json-schema.org/draft/2020-12/schema",)");
  line(2, R"("title": "Sluice configuration",)");
  line(2, R"("$defs": {)");
  line(4, R"("variable": {"type": "string", "pattern": "[$]"},)");
  definition("listeners", listener_table(), ",");
  definition("clusters", cluster_table(), ",");
  line(4, R"("backends": {"anyOf": [)" + value(peer_address()) +
              R"(, {"$ref": "#/$defs/backend"}]},)");
  definition("backend", backend_table(), ",");
  definition("steps", probe_step_table(), "");
  line(2, "},");
  object(config_table(), "", 2);
  line(0, "}");
  return std::move(out_);
}

}  // namespace

std::string render_json_schema() { return Writer().write(); }

}  // namespace sluice
