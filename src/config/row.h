// A row of the schema: everything about one setting, and the field it fills. To add a setting, add
// the field to config.h and one row to a table in *_rows.cc:
//
//   {"connect_timeout", FIELD(settings.connect_timeout), duration(1ms, 10min), Reload::yes,
//    "for one attempt"},
//
// Keys are dotted within their scope: `health_check.interval` is the row below `health_check`.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "read_value.h"
#include "sluice/base/json.h"
#include "sluice/config/config.h"
#include "type.h"

// A member of whatever is handed in, const or not.
#define FIELD(member) ([](auto& scope) -> auto& { return scope.member; })

namespace sluice {

enum class Reload : uint8_t { no, yes };  // whether a change takes effect on reload

// `later` is promised and not in this version: using it is an error that says so.
enum class Presence : uint8_t { optional, required, later };

struct RowFace {
  std::string_view key;
  Type type;
  Reload reload = Reload::no;
  Presence presence = Presence::optional;
  std::string_view help;
};

template <typename Scope>
struct Row : RowFace {
  // Before the settings of a section that may be off are read.
  std::function<void(Scope&)> switch_on;
  // Fills the field from a node; a section only when it is switched off.
  std::function<void(Scope&, const Node&, Reading&)> read;
  // The field as YAML; of a section, the word when it is off and else nothing.
  std::function<std::string(const Scope&)> show;
  // The members of a list, each indented that far.
  std::function<void(const Scope&, size_t indentation, std::string& out)> write_members;
  // The same as JSON, into an array that has been begun.
  std::function<void(const Scope&, JsonWriter& json)> write_json_members;
  // Whether the setting means anything beside the others; where not, it is not written.
  std::function<bool(const Scope&)> applies;

  // A setting with a value of its own.
  template <typename Field>
  Row(std::string_view setting, Field field, Type value, Reload when, std::string_view meaning)
      : RowFace{setting, value, when, Presence::optional, meaning},
        read([field, value](Scope& scope, const Node& node, Reading& reading) {
          read_value(node, value, field(scope), reading);
        }),
        show([field, value](const Scope& scope) { return show_value(field(scope), value); }) {}

  // A section that is always there, a list (read_rows.h) or a setting of a later version.
  Row(std::string_view setting, Type value, Reload when, std::string_view meaning)
      : RowFace{setting, value, when, Presence::optional, meaning} {}

  // A section that may be off.
  template <typename SwitchOff, typename IsOn>
  static Row switchable(std::string_view key, SwitchOff switch_off, IsOn is_on, Reload reload,
                        std::string_view help) {
    Row row(key, section().or_off(), reload, help);
    row.read = [switch_off](Scope& scope, const Node&, Reading&) { switch_off(scope); };
    row.show = [is_on](const Scope& scope) { return std::string(is_on(scope) ? "" : "off"); };
    return row;
  }

  // For a section that is off by default: a map switches it on.
  Row switched_on_by(std::function<void(Scope&)> action) && {
    switch_on = std::move(action);
    return std::move(*this);
  }

  Row only_while(std::function<bool(const Scope&)> condition) && {
    applies = std::move(condition);
    return std::move(*this);
  }

  static Row later(std::string_view key) {
    Row row(key, text(0), Reload::no, "");
    row.presence = Presence::later;
    return row;
  }

  Row required() && {
    presence = Presence::required;
    return std::move(*this);
  }
};

template <typename Scope>
struct Table {
  std::string_view path;  // clusters[]; empty for the file itself
  std::string_view noun;  // cluster
  std::vector<Row<Scope>> rows;

  const Row<Scope>* find(std::string_view key) const {
    for (const Row<Scope>& row : rows) {
      if (row.key == key) return &row;
    }
    return nullptr;
  }
};

const Table<Config>& config_table();
const Table<ListenerConfig>& listener_table();
const Table<ClusterConfig>& cluster_table();
const Table<BackendConfig>& backend_table();
const Table<ProbeStepConfig>& probe_step_table();

}  // namespace sluice
