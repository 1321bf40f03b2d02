#include "sluice/config/schema.h"

#include <vector>

#include "read_rows.h"

namespace sluice {
namespace {

template <typename Scope>
std::string default_of(const Table<Scope>& table, const Row<Scope>& row) {
  if (row.presence == Presence::required) return "";
  const Scope defaults;
  if (!row.type.shorthand.empty() && row.type.kind == Kind::section) {
    return default_of(table,
                      *table.find(std::string(row.key) + "." + std::string(row.type.shorthand)));
  }
  if (row.type.kind == Kind::section) {
    const bool is_off = row.show && !row.show(defaults).empty();
    return row.type.none.empty() ? "" : is_off ? "off" : "on";
  }
  return row.show ? row.show(defaults) : "";
}

template <typename Scope>
void append(const Table<Scope>& table, std::vector<SchemaRow>& out) {
  for (const Row<Scope>& row : table.rows) {
    if (row.presence == Presence::later) continue;
    const std::string dot = table.path.empty() ? "" : ".";
    out.push_back({.path = std::string(table.path) + dot + std::string(row.key),
                   .type = describe(row.type),
                   .default_value = default_of(table, row),
                   .is_required = row.presence == Presence::required,
                   .is_reloadable = row.reload == Reload::yes,
                   .help = std::string(row.help)});
  }
}

std::vector<SchemaRow> make_rows() {
  std::vector<SchemaRow> rows;
  append(config_table(), rows);
  append(listener_table(), rows);
  append(cluster_table(), rows);
  append(backend_table(), rows);
  append(probe_step_table(), rows);
  return rows;
}

}  // namespace

std::span<const SchemaRow> schema_rows() {
  static const std::vector<SchemaRow> rows = make_rows();
  return rows;
}

std::string render_settings_help() {
  std::string out;
  for (const SchemaRow& row : schema_rows()) {
    out +=
        fmt::format("{}\n    {}{}\n    {}\n", row.path, row.type,
                    row.is_required             ? " (required)"
                    : row.default_value.empty() ? ""
                                                : fmt::format(" (default {})", row.default_value),
                    row.help);
  }
  return out;
}

std::string render_effective_config(const Config& config) {
  std::string out;
  write_rows(config_table(), "", config, 0, out);
  return out;
}

}  // namespace sluice
