// Walks a filled struct by the rows of a table and writes it as YAML: the reader's way back.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "row.h"

namespace sluice {

template <typename Scope>
void write_rows(const Table<Scope>& table, std::string_view prefix, const Scope& scope,
                size_t indentation, std::string& out);

template <typename Scope>
void write_row(const Table<Scope>& table, const Row<Scope>& row, std::string_view key,
               const Scope& scope, size_t indentation, std::string& out) {
  if (row.applies && !row.applies(scope)) return;
  const std::string begin = fmt::format("{:{}}{}:", "", indentation, key);
  const std::string value = row.show ? row.show(scope) : "";
  if (!value.empty()) {
    out += fmt::format("{} {}\n", begin, value);
  } else if (row.type.kind == Kind::section) {
    out += begin + "\n";
    write_rows(table, fmt::format("{}.", row.key), scope, indentation + 2, out);
  } else if (row.write_members) {
    std::string members;
    row.write_members(scope, indentation + 2, members);
    out += members.empty() ? begin + " []\n" : begin + "\n" + members;
  }
}

template <typename Scope>
void write_rows(const Table<Scope>& table, std::string_view prefix, const Scope& scope,
                size_t indentation, std::string& out) {
  for (const Row<Scope>& row : table.rows) {
    if (!row.key.starts_with(prefix) || row.presence == Presence::later) continue;
    const std::string_view key = row.key.substr(prefix.size());
    if (key.find('.') != std::string_view::npos) continue;
    write_row(table, row, key, scope, indentation, out);
  }
}

// A member of a list: its rows, the first of them behind a dash.
template <typename Member>
void write_member(const Table<Member>& table, const Member& member, size_t indentation,
                  std::string& out) {
  const size_t begin = out.size();
  write_rows(table, "", member, indentation + 2, out);
  if (out.size() > begin) out[begin + indentation] = '-';
}

}  // namespace sluice
