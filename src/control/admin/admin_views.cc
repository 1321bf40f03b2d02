#include "admin_views.h"

#include <unistd.h>

#include <algorithm>

namespace sluice {
namespace {

using std::chrono::milliseconds;

void write_duration(JsonWriter& json, std::string_view key, const Timeout& span) {
  json.member(key, span ? std::optional(to_ms(*span)) : std::nullopt);
}

void write_time(JsonWriter& json, std::string_view key, const AdminTime& time,
                const std::optional<TimePoint>& at) {
  json.member(key, at ? std::optional(format_rfc3339(time.to_wall(*at))) : std::nullopt);
}

size_t count_backends(const ClusterControls& clusters) {
  size_t count = 0;
  for (const auto& cluster : clusters) count += cluster->backends().size();
  return count;
}

uint32_t count_available(const ClusterControls& clusters) {
  uint32_t count = 0;
  for (const auto& cluster : clusters) count += cluster->cluster()->available_backends();
  return count;
}

}  // namespace

std::string render_status(const AdminScope& scope, const AdminStatus& status,
                          const AdminTime& time) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("version", status.version);
  json.member("pid", int64_t{::getpid()});
  json.member("state", name(scope.state()));
  json.member("time", format_rfc3339(time.wall));
  json.member("started_at", format_rfc3339(time.to_wall(status.started_at)));
  json.member("uptime_ms", to_ms(time.now - status.started_at));
  json.key("connections");
  json.begin_object();
  json.member("active", scope.process_limit.active());
  json.member("max", scope.connections_max);
  json.end_object();
  json.key("workers");
  json.begin_array();
  for (size_t i = 0; i < scope.workers.size(); ++i) {
    json.begin_object();
    json.member("worker", i);
    json.member("connections", scope.spread.sessions(i));
    json.end_object();
  }
  json.end_array();
  json.member("listeners", scope.listeners.size());
  json.member("clusters", scope.clusters.size());
  json.key("backends");
  json.begin_object();
  json.member("total", count_backends(scope.clusters));
  json.member("available", count_available(scope.clusters));
  json.end_object();
  json.member("last_event_id", status.last_event_id);
  json.end_object();
  return out;
}

namespace {

void write_sessions_so_far(JsonWriter& json, const ListenerTotals& totals) {
  json.member("active_connections", totals.active());
  json.member("connections_total", totals.accepted);
  json.key("ends");
  json.begin_object();
  for (size_t i = 0; i < totals.ends.size(); ++i) json.member(kEndReasonNames[i], totals.ends[i]);
  json.end_object();
  json.key("rejected");
  json.begin_object();
  for (const EndReason reason : kRejections) json.member(name(reason), totals.ended(reason));
  json.end_object();
}

}  // namespace

std::string render_listeners(const std::vector<OpenListener>& listeners) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("listeners");
  json.begin_array();
  for (const OpenListener& open : listeners) {
    const ListenerConfig& config = open.listener->config();
    json.begin_object();
    json.member("name", config.name);
    json.key("addresses");
    json.begin_array();
    for (const Address& address : open.addresses) json.value(address.to_string());
    json.end_array();
    json.member("cluster", config.cluster);
    write_sessions_so_far(json, open.listener->totals());
    json.member("max_connections", config.max_connections);
    write_duration(json, "idle_timeout_ms", config.idle_timeout);
    write_duration(json, "max_duration_ms", config.max_duration);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out;
}

namespace {

// As the access log has it, of the last attempt.
void write_why(JsonWriter& json, const Decision& decision) {
  json.begin_object();
  json.member("policy", name(decision.policy));
  json.member("trial", decision.is_trial);
  json.key("passed_over");
  json.begin_object();
  for (size_t i = 0; i < kObstacleNames.size(); ++i) {
    const uint8_t count = decision.passed_over(static_cast<Obstacle>(i));
    if (count > 0) json.member(kObstacleNames[i], count);
  }
  json.end_object();
  json.end_object();
}

void write_session(JsonWriter& json, const LiveSession& session, const AdminTime& time) {
  const SessionRecord& record = session.record;
  json.begin_object();
  json.member("id", session.id.to_string());
  json.member("worker", session.id.worker);
  json.member("state", session.state);
  json.member("listener", record.listener->config().name);
  json.member("client", record.client.to_string());
  json.member("cluster", record.listener->config().cluster);
  json.member("backend", record.backend ? std::optional(record.backend->name()) : std::nullopt);
  json.member("attempts", record.attempts);
  json.member("received", record.received);
  json.member("sent", record.sent);
  write_duration(json, "connect_ms", record.connect_time);
  json.member("started_at",
              format_rfc3339(time.to_wall(TimePoint(milliseconds(session.id.started_ms)))));
  json.member("duration_ms", to_ms(record.duration));
  json.key("why");
  write_why(json, record.decision);
  json.end_object();
}

}  // namespace

std::string render_sessions(const LiveSessions& list, Coverage coverage, const AdminTime& time) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("total", list.total);
  json.member("matching", list.matching);
  json.member("complete", coverage == Coverage::all_workers);
  json.key("sessions");
  json.begin_array();
  for (const LiveSession& session : list.sessions) write_session(json, session, time);
  json.end_array();
  json.member("next", list.reaches_to ? std::optional(list.reaches_to->to_string()) : std::nullopt);
  json.end_object();
  return out;
}

namespace {

struct EventHead {
  WallTime at;
  std::string_view kind;
  std::string_view cluster;
  std::string_view backend;
  std::string_view from;
  std::string_view to;
  std::string_view why;
};

void write_event(JsonWriter& json, const EventHead& head) {
  json.member("time", format_rfc3339(head.at));
  json.member("kind", head.kind);
  json.member("cluster", head.cluster);
  json.member("backend", head.backend);
  json.member("from", head.from);
  json.member("to", head.to);
  json.member("why", head.why);
}

}  // namespace

std::string render_transition(const Transition& transition, const AdminTime& time) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_event(json, {.at = time.to_wall(transition.at),
                     .kind = name(transition.kind),
                     .cluster = transition.cluster,
                     .backend = transition.backend,
                     .from = transition.from,
                     .to = transition.to,
                     .why = transition.why});
  write_time(json, "retry_at", time, transition.retry_at);
  json.end_object();
  return out;
}

std::string render_change(const AdminChange& change, const AdminTime& time) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_event(json, {.at = time.wall,
                     .kind = change.kind,
                     .cluster = change.cluster,
                     .backend = change.backend,
                     .from = change.from,
                     .to = change.to,
                     .why = "by an operator"});
  write_time(json, "retry_at", time, std::nullopt);
  json.end_object();
  return out;
}

}  // namespace sluice
