#include "ctl_output.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "../admin/session_query.h"
#include "ctl_text.h"
#include "sluice/base/json.h"
#include "text_table.h"

namespace sluice {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

std::string render_status(element root, bool use_color) {
  const std::string state = text(root, "state");
  std::string out =
      fmt::format("sluice {}, process {}: {} for {}\n", text(root, "version"), text(root, "pid"),
                  colored(state, color_of(state), use_color), duration_text(root["uptime_ms"]));
  out += fmt::format("connections  {} of {}\n", text(root["connections"], "active"),
                     text(root["connections"], "max"));
  out += fmt::format("backends     {} of {} available\n", text(root["backends"], "available"),
                     text(root["backends"], "total"));
  out += fmt::format("clusters     {}\n", text(root, "clusters"));
  out += fmt::format("listeners    {}\n", text(root, "listeners"));
  out += "workers     ";
  for (const element worker : array(root["workers"])) {
    out += fmt::format(" {}:{}", text(worker, "worker"), text(worker, "connections"));
  }
  return out + "\n";
}

TextCell breaker_cell(element breaker) {
  if (!bool(breaker["enabled"])) return {"off"};
  TextCell cell = state_cell(breaker, "state");
  if (!breaker["retry_in_ms"].is_null()) {
    cell.text += ", trial in " + duration_text(breaker["retry_in_ms"]);
  }
  return cell;
}

TextCell health_cell(element health) {
  return bool(health["probes"]) ? state_cell(health, "state") : TextCell{"no probes"};
}

// Each cause for which it takes no connections.
TextCell left_out_cell(element backend) {
  TextCell cell{"", TextColor::bad};
  for (const element cause : array(backend["left_out_by"])) {
    cell.text += fmt::format("{}{}", cell.text.empty() ? "" : " ", printable(cause));
  }
  return cell.text.empty() ? TextCell{"-"} : cell;
}

std::string render_clusters(element root, bool use_color) {
  constexpr auto kRight = TextAlign::right;
  TextTable table({{"CLUSTER"},
                   {"BACKEND"},
                   {"ADDRESS"},
                   {"STATE"},
                   {"HEALTH"},
                   {"BREAKER"},
                   {"WEIGHT", kRight},
                   {"ACTIVE", kRight},
                   {"FAILURES", kRight},
                   {"OPENS", kRight},
                   {"OUT BY"}});
  for (const element cluster : array(root["clusters"])) {
    for (const element backend : array(cluster["backends"])) {
      table.add({{text(cluster, "name")},
                 {text(backend, "name")},
                 {text(backend, "address")},
                 state_cell(backend["administrative"], "state"),
                 health_cell(backend["health"]),
                 breaker_cell(backend["breaker"]),
                 {text(backend, "weight")},
                 {text(backend, "active_connections")},
                 {text(backend["breaker"], "consecutive_failures")},
                 {text(backend["breaker"], "opens")},
                 left_out_cell(backend)});
    }
  }
  return table.render(use_color);
}

std::string render_listeners(element root, bool use_color) {
  TextTable table({{"LISTENER"},
                   {"ADDRESS"},
                   {"CLUSTER"},
                   {"ACTIVE", TextAlign::right},
                   {"MAX", TextAlign::right}});
  for (const element listener : array(root["listeners"])) {
    for (const element address : array(listener["addresses"])) {
      table.add({{text(listener, "name")},
                 {printable(address)},
                 {text(listener, "cluster")},
                 {text(listener, "active_connections")},
                 {text(listener, "max_connections")}});
    }
  }
  return table.render(use_color);
}

// round_robin, passed over 2 health 1 breaker; trial
std::string why_text(element why) {
  std::string out = text(why, "policy");
  std::string_view separator = ", passed over ";
  for (const auto& [obstacle, count] : simdjson::dom::object(why["passed_over"])) {
    out += fmt::format("{}{} {}", separator, int64_t(count), printable(obstacle));
    separator = " ";
  }
  return bool(why["trial"]) ? out + ", trial" : out;
}

std::string render_sessions(element root, bool use_color) {
  constexpr auto kRight = TextAlign::right;
  TextTable table({{"SESSION"},
                   {"LISTENER"},
                   {"CLIENT"},
                   {"BACKEND"},
                   {"STATE"},
                   {"AGE", kRight},
                   {"RECEIVED", kRight},
                   {"SENT", kRight},
                   {"WHY THERE"}});
  size_t count = 0;
  for (const element session : array(root["sessions"])) {
    ++count;
    table.add({{text(session, "id")},
               {text(session, "listener")},
               {text(session, "client")},
               {text(session, "cluster") + "/" + text(session, "backend")},
               state_cell(session, "state"),
               {duration_text(session["duration_ms"])},
               {bytes_text(session["received"])},
               {bytes_text(session["sent"])},
               {why_text(session["why"])}});
  }
  std::string out = table.render(use_color);
  const bool is_more = root["next"].type() == simdjson::dom::element_type::STRING;
  if (is_more) {
    out += fmt::format("{} of {}; those behind them: {}--after {}\n", count, text(root, "matching"),
                       count < kSessionsMax ? "a higher --limit, or " : "", text(root, "next"));
  }
  if (!bool(root["complete"])) out += "a worker has not answered in time\n";
  return out;
}

std::string render_backend(element backend, bool use_color) {
  const std::string state = text(backend["administrative"], "state");
  const TextCell breaker = breaker_cell(backend["breaker"]);
  const TextCell health = health_cell(backend["health"]);
  return fmt::format("{}: {}, {}, breaker {}, weight {}, {} connections\n", text(backend, "name"),
                     colored(state, color_of(state), use_color),
                     colored(health.text, health.color, use_color),
                     colored(breaker.text, breaker.color, use_color), text(backend, "weight"),
                     text(backend, "active_connections"));
}

// As in the file, two spaces a level.
void append_pretty(element value, size_t indentation, std::string& out) {
  const auto line = [&](size_t depth) { out += '\n' + std::string(depth, ' '); };
  constexpr size_t kStep = 2;
  std::string_view separator;
  if (value.is_object()) {
    out += '{';
    for (const auto& [key, member] : simdjson::dom::object(value)) {
      out += std::exchange(separator, ",");
      line(indentation + kStep);
      append_json_string(out, key);
      out += ": ";
      append_pretty(member, indentation + kStep, out);
    }
    if (!separator.empty()) line(indentation);
    out += '}';
  } else if (value.is_array()) {
    out += '[';
    for (const element member : array(value)) {
      out += std::exchange(separator, ",");
      line(indentation + kStep);
      append_pretty(member, indentation + kStep, out);
    }
    if (!separator.empty()) line(indentation);
    out += ']';
  } else {
    out += simdjson::minify(value);
  }
}

std::string render_view(CtlView view, element root, bool use_color) {
  switch (view) {
    case CtlView::status:
      return render_status(root, use_color);
    case CtlView::clusters:
      return render_clusters(root, use_color);
    case CtlView::listeners:
      return render_listeners(root, use_color);
    case CtlView::sessions:
      return render_sessions(root, use_color);
    case CtlView::backend:
      return render_backend(root, use_color);
    case CtlView::json: {
      std::string out;
      append_pretty(root, 0, out);
      return out + "\n";
    }
    case CtlView::done:
      break;
  }
  return "done\n";
}

}  // namespace

Result<std::string> render_ctl(CtlView view, std::string_view body, bool use_color) {
  try {
    simdjson::dom::parser parser;
    return render_view(view, parser.parse(body.data(), body.size()), use_color);
  } catch (const simdjson::simdjson_error& error) {
    return failure(
        fmt::format("the answer is not what the admin API promises: {}; is it another "
                    "version? --json shows it",
                    error.what()));
  }
}

std::string error_of(std::string_view body) {
  try {
    simdjson::dom::parser parser;
    return text(parser.parse(body.data(), body.size()), "error");
  } catch (const simdjson::simdjson_error&) {
    constexpr size_t kBytesMax = 200;
    return printable(body.substr(0, std::min(body.find_first_of("\r\n"), kBytesMax)));
  }
}

}  // namespace sluice
