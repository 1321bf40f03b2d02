// Walks a map of the tree by the rows of a table: unknown keys, sections, lists, required settings.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "row.h"
#include "text.h"
#include "write_json.h"
#include "write_rows.h"

namespace sluice {

constexpr size_t kMembersMax = 50'000;  // of one list

template <typename Scope>
void read_rows(const Table<Scope>& table, const std::string& prefix, const Node& map, Scope& out,
               Reading& reading);

// The keys that may stand directly below `prefix`.
template <typename Scope>
std::vector<std::string_view> keys_below(const Table<Scope>& table, std::string_view prefix) {
  std::vector<std::string_view> keys;
  for (const Row<Scope>& row : table.rows) {
    if (!row.key.starts_with(prefix) || row.presence == Presence::later) continue;
    const std::string_view key = row.key.substr(prefix.size());
    if (key.find('.') == std::string_view::npos) keys.push_back(key);
  }
  return keys;
}

// `health_check`, `listener 'web'`, or nothing for the file itself, after " in ".
inline std::string where(std::string_view prefix, const Reading& reading) {
  if (!prefix.empty()) return fmt::format(" in {}", prefix.substr(0, prefix.size() - 1));
  return reading.owner.empty() ? "" : fmt::format(" in {}", reading.owner);
}

template <typename Scope>
void read_section(const Table<Scope>& table, const Row<Scope>& row, const Node& node, Scope& out,
                  Reading& reading) {
  const std::string prefix = fmt::format("{}.", row.key);
  if (node.kind == Node::Kind::map) {
    if (row.switch_on) row.switch_on(out);
    return read_rows(table, prefix, node, out, reading);
  }
  if (node.is_scalar() && says_none(node.text, row.type)) return row.read(out, node, reading);
  if (node.is_scalar() && says_on(node.text, row.type)) {
    if (row.switch_on) row.switch_on(out);
    return;
  }
  const Row<Scope>* shorthand =
      row.type.shorthand.empty() ? nullptr : table.find(prefix + std::string(row.type.shorthand));
  if (node.is_scalar() && shorthand != nullptr) return shorthand->read(out, node, reading);
  reading.complain(node.place, expected(row.type, node));
}

template <typename Scope>
void read_row(const Table<Scope>& table, const Row<Scope>& row, const Node& node, Scope& out,
              Reading& reading) {
  if (node.is_broken) return;
  reading.key = row.key;
  reading.places[fmt::format("{}{}", reading.path, row.key)] = node.place;
  if (row.type.kind == Kind::section) return read_section(table, row, node, out, reading);
  row.read(out, node, reading);
}

template <typename Scope>
void read_rows(const Table<Scope>& table, const std::string& prefix, const Node& map, Scope& out,
               Reading& reading) {
  for (const Node::Entry& entry : map.entries) {
    const bool is_dotted = entry.key.find('.') != std::string::npos;
    const Row<Scope>* row = is_dotted ? nullptr : table.find(prefix + entry.key);
    if (row == nullptr) {
      const std::string suggestion =
          reading.problems.is_full() ? "" : suggest_setting(entry.key, keys_below(table, prefix));
      reading.problems.error(entry.key_place,
                             fmt::format("unknown setting '{}'{}{}", excerpt(entry.key),
                                         where(prefix, reading), suggestion));
    } else if (row->presence == Presence::later) {
      reading.problems.error(entry.key_place, fmt::format("'{}'{} is not in this version yet",
                                                          entry.key, where(prefix, reading)));
    } else {
      read_row(table, *row, *entry.value, out, reading);
    }
  }
}

template <typename Scope>
void check_required(const Table<Scope>& table, const Node& map, const Reading& reading) {
  for (const Row<Scope>& row : table.rows) {
    if (row.presence != Presence::required || map.find(row.key) != nullptr) continue;
    reading.problems.error(map.place, fmt::format("{} has no '{}'", reading.owner, row.key));
  }
}

// What a list's member still needs after its rows were read.
template <typename Member>
void finish_member(const Node& /*node*/, Member& /*member*/) {}
void finish_member(const Node& node, BackendConfig& backend);

// Reads one member into `out`; false when it is nothing of the kind.
template <typename Member>
bool read_member(const Table<Member>& table, const Type& type, const Node& node, Member& out,
                 Reading& reading) {
  if (node.is_broken) return false;
  if (node.is_scalar() && !type.shorthand.empty()) {
    read_row(table, *table.find(type.shorthand), node, out, reading);
    return true;
  }
  if (node.kind != Node::Kind::map) {
    reading.complain(node.place,
                     fmt::format("expected a {}{}, not {}", table.noun,
                                 type.shorthand.empty() ? " (a map)" : "", describe(node)));
    return false;
  }
  const Node* name = node.find("name");
  reading.owner = name != nullptr && name->is_scalar()
                      ? fmt::format("{} '{}'", table.noun, excerpt(name->text))
                      : fmt::format("this {}", table.noun);
  read_rows(table, "", node, out, reading);
  check_required(table, node, reading);
  return true;
}

template <typename Member>
void read_list(const Node& node, const Table<Member>& table, const Type& type,
               std::vector<Member>& out, Reading& reading) {
  if (node.kind != Node::Kind::list) {
    return reading.complain(
        node.place, fmt::format("expected a list of {}s, not {}", table.noun, describe(node)));
  }
  if (node.entries.size() > kMembersMax) {
    return reading.complain(node.place, fmt::format("more than {} {}s", kMembersMax, table.noun));
  }
  const Reading outside = reading;
  for (const Node::Entry& entry : node.entries) {
    const std::string path = fmt::format("{}{}[{}]", outside.path, outside.key, out.size());
    reading.places[path] = entry.value->place;
    reading.path = path + ".";
    reading.key = outside.key;
    Member member;
    if (!read_member(table, type, *entry.value, member, reading)) continue;
    finish_member(*entry.value, member);
    out.push_back(std::move(member));
  }
  reading.path = outside.path;
  reading.owner = outside.owner;
}

// A row for a list of maps, each read by a table of its own.
template <typename Scope, typename Field, typename Member>
Row<Scope> list_row(std::string_view key, Field field, const Table<Member>& (*table)(), Type type,
                    Reload reload, std::string_view help) {
  Row<Scope> row(key, type, reload, help);
  row.read = [field, table, type](Scope& scope, const Node& node, Reading& reading) {
    read_list(node, table(), type, field(scope), reading);
  };
  row.write_members = [field, table](const Scope& scope, size_t indentation, std::string& out) {
    for (const Member& member : field(scope)) write_member(table(), member, indentation, out);
  };
  row.write_json_members = [field, table](const Scope& scope, JsonWriter& json) {
    for (const Member& member : field(scope)) write_json_rows(table(), "", member, json);
  };
  return row;
}

}  // namespace sluice
