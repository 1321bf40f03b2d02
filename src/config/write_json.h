// The same walk as in write_rows.h, written as JSON, which is a configuration file too.
#pragma once

#include <string>
#include <string_view>

#include "row.h"
#include "sluice/base/json.h"

namespace sluice {

// A value as Row::show gives it: a number, a word, a quoted text, {hex: ...} or a list of those.
void write_json_value(std::string_view shown, JsonWriter& json);

template <typename Scope>
void write_json_rows(const Table<Scope>& table, std::string_view prefix, const Scope& scope,
                     JsonWriter& json) {
  json.begin_object();
  for (const Row<Scope>& row : table.rows) {
    if (!row.key.starts_with(prefix) || row.presence == Presence::later) continue;
    const std::string_view key = row.key.substr(prefix.size());
    if (key.find('.') != std::string_view::npos || (row.applies && !row.applies(scope))) continue;
    const std::string value = row.show ? row.show(scope) : "";
    if (!value.empty()) {
      json.key(key);
      write_json_value(value, json);
    } else if (row.type.kind == Kind::section) {
      json.key(key);
      write_json_rows(table, std::string(row.key) + '.', scope, json);
    } else if (row.write_json_members) {
      json.key(key);
      json.begin_array();
      row.write_json_members(scope, json);
      json.end_array();
    }
  }
  json.end_object();
}

}  // namespace sluice
