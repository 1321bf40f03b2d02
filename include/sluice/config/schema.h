// The schema as everybody but the reader sees it: one row for each setting, and the texts made of
// them. The rows themselves are in src/config/*_rows.cc, each with the field it fills.
#pragma once

#include <span>
#include <string>

#include "sluice/config/config.h"

namespace sluice {

struct SchemaRow {
  std::string path;           // clusters[].health_check.interval
  std::string type;           // duration, 10ms to 1h
  std::string default_value;  // 5s; empty: none
  bool is_required = false;
  bool is_reloadable = false;  // takes effect on reload; else after a restart
  std::string help;
};

// Every setting, a section before what it holds.
std::span<const SchemaRow> schema_rows();

// docs/CONFIGURATION.md.
std::string render_reference();

// conf/sluice.schema.json (JSON Schema 2020-12), for editors.
std::string render_json_schema();

// The settings, their types and defaults, one a line: for a terminal.
std::string render_settings_help();

// `config` with every setting written out, as YAML that reads back to the same.
std::string render_effective_config(const Config& config);
// The same as JSON, which reads back likewise.
std::string render_effective_config_json(const Config& config);

}  // namespace sluice
