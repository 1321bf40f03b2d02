// Clusters and backends as the admin API shows them: the three causes that can keep a backend out
// are told apart, never merged.
#include <algorithm>
#include <vector>

#include "admin_views.h"
#include "sluice/core/cluster.h"

namespace sluice {
namespace {

// What a backend's view needs to know of its surroundings.
struct Surroundings {
  const ClusterConfig& config;
  const PriorityLevel& level;
  bool has_healthy = false;  // a ready backend of the cluster is
  const AdminTime& time;
};

bool has_healthy(const ClusterSnapshot& snapshot) {
  return std::any_of(
      snapshot.levels.begin(), snapshot.levels.end(), [](const PriorityLevel& level) {
        return std::any_of(level.backends.begin(), level.backends.end(), [](const auto& backend) {
          return backend->health() == Health::healthy &&
                 backend->admin_state() == AdminState::ready;
        });
      });
}

// As Cluster::is_usable() decides it.
bool is_left_out_by_health(const Backend& backend, const Surroundings& around) {
  if (!around.config.settings.has_probes || around.level.in_panic->load()) return false;
  if (backend.health() == Health::unhealthy) return true;
  return backend.health() == Health::unknown && backend.arrival() == Arrival::later &&
         around.has_healthy;
}

// Why it gets no ordinary connection now; none when it does.
std::vector<std::string_view> left_out_by(const Backend& backend, const Surroundings& around) {
  std::vector<std::string_view> causes;
  const ClusterSettings& settings = around.config.settings;
  if (backend.admin_state() != AdminState::ready) causes.push_back(name(Obstacle::administrative));
  if (is_left_out_by_health(backend, around)) causes.push_back(name(Obstacle::health));
  const bool is_closed = !settings.circuit_breaker.is_enabled ||
                         backend.breaker().state(around.time.now) == BreakerState::closed;
  if (!is_closed) causes.push_back(name(Obstacle::breaker));
  const auto limit = settings.limits.of_backend;
  if (limit && backend.active_connections() >= *limit) causes.push_back(name(Obstacle::limit));
  if (backend.weight() == 0) causes.push_back("weight");
  return causes;
}

void write_administrative(JsonWriter& json, const Backend& backend) {
  json.begin_object();
  json.member("state", name(backend.admin_state()));
  json.member("configured", name(backend.settings().admin_state));
  json.end_object();
}

void write_health(JsonWriter& json, const Backend& backend, const Surroundings& around) {
  json.begin_object();
  json.member("state", name(backend.health()));
  json.member("probes", around.config.settings.has_probes);
  json.member("passed_in_row", backend.health_tracker().passed_in_row());
  json.member("failed_in_row", backend.health_tracker().failed_in_row());
  json.end_object();
}

void write_breaker(JsonWriter& json, const Backend& backend, const Surroundings& around) {
  const CircuitBreaker& breaker = backend.breaker();
  const TimePoint now = around.time.now;
  const auto reopens_at = breaker.reopens_at();
  const bool is_counting_down = breaker.state(now) == BreakerState::open && reopens_at;
  const OutlierWatch* watch = backend.outlier_watch();
  const Detector ejected_by = watch != nullptr ? watch->ejected_by.load() : Detector::none;
  json.begin_object();
  json.member("state", name(breaker.state(now)));
  json.member("enabled", around.config.settings.circuit_breaker.is_enabled);
  json.member("consecutive_failures", backend.outlier_detector().consecutive_failures());
  json.member("opens", breaker.opens());
  json.member("retry_at", is_counting_down
                              ? std::optional(format_rfc3339(around.time.to_wall(*reopens_at)))
                              : std::nullopt);
  json.member("retry_in_ms",
              is_counting_down ? std::optional(to_ms(*reopens_at - now)) : std::nullopt);
  json.member("ejected_by",
              ejected_by == Detector::none ? std::nullopt : std::optional(name(ejected_by)));
  json.end_object();
}

// Since the start. Whoever asks twice knows from the differences what was in between.
void write_buckets(JsonWriter& json, const ConnectTimes::Reading& times) {
  json.key("bounds");
  json.begin_array();
  for (const uint64_t bound : kConnectBoundsMs) json.value(bound);
  json.end_array();
  json.key("cumulative");
  json.begin_array();
  uint64_t so_far = 0;
  for (const uint64_t count : times.counts) json.value(so_far += count);
  json.end_array();
}

void write_traffic(JsonWriter& json, const BackendTotals& totals) {
  const auto percentile = [&totals](double part) {
    return quantile(kConnectBoundsMs, totals.connect_ms.counts, part);
  };
  json.member("received_bytes", totals.received);
  json.member("sent_bytes", totals.sent);
  json.key("connect_ms");
  json.begin_object();
  json.member("p50", percentile(0.5));
  json.member("p99", percentile(0.99));
  write_buckets(json, totals.connect_ms);
  json.end_object();
}

void write_backend(JsonWriter& json, const Backend& backend, const Surroundings& around) {
  const std::vector<std::string_view> causes = left_out_by(backend, around);
  json.begin_object();
  json.member("name", backend.name());
  json.member("address", backend.address().to_string());
  json.member("priority", around.level.priority);
  json.member("available", causes.empty());
  json.key("left_out_by");
  json.begin_array();
  for (const std::string_view cause : causes) json.value(cause);
  json.end_array();
  json.key("administrative");
  write_administrative(json, backend);
  json.key("health");
  write_health(json, backend, around);
  json.key("breaker");
  write_breaker(json, backend, around);
  json.member("weight", backend.weight());
  json.member("configured_weight", backend.settings().weight);
  json.member("active_connections", backend.active_connections());
  json.key("connects");
  json.begin_object();
  for (size_t i = 0; i < kConnectOutcomeNames.size(); ++i) {
    json.member(kConnectOutcomeNames[i], backend.connects(static_cast<ConnectOutcome>(i)));
  }
  json.end_object();
  write_traffic(json, backend.totals());
  json.end_object();
}

void write_limits(JsonWriter& json, Cluster& cluster, const ClusterSettings& settings) {
  json.key("limits");
  json.begin_object();
  json.member("max_connections", settings.limits.of_cluster);
  json.member("max_connections_per_backend", settings.limits.of_backend);
  json.end_object();
  json.key("pending");
  json.begin_object();
  json.member("waiting", cluster.pending().waiting());
  json.member("max", settings.pending.clients_max);
  json.member("queue_timeout_ms", to_ms(settings.pending.timeout));
  json.end_object();
}

void write_priorities(JsonWriter& json, const ClusterSnapshot& snapshot) {
  json.key("priorities");
  json.begin_array();
  uint32_t share_before = 0;
  for (const PriorityLevel& level : snapshot.levels) {
    const uint32_t share_up_to = level.share_up_to->load();
    json.begin_object();
    json.member("priority", level.priority);
    json.member("backends", level.backends.size());
    json.member("in_panic", level.in_panic->load());
    // Read one after another while they may change: never below nothing.
    const double share = share_up_to > share_before ? share_up_to - share_before : 0;
    json.member("share_percent", 100.0 * share / kWholeShare);
    json.end_object();
    share_before = share_up_to;
  }
  json.end_array();
}

void write_cluster(JsonWriter& json, const ClusterControl& control, const AdminTime& time) {
  Cluster& cluster = *control.cluster();
  const auto snapshot = cluster.snapshot();
  const ClusterSettings& settings = control.config().settings;
  json.begin_object();
  json.member("name", cluster.name());
  json.member("policy", name(settings.balance.policy));
  json.member("available_backends", cluster.available_backends());
  json.member("active_connections", cluster.active_connections());
  json.member("ejected_backends", cluster.ejections().out());
  write_limits(json, cluster, settings);
  json.member("panic_threshold", settings.panic_threshold);
  write_priorities(json, *snapshot);
  json.key("backends");
  json.begin_array();
  const bool is_anybody_healthy = has_healthy(*snapshot);
  for (const PriorityLevel& level : snapshot->levels) {
    const Surroundings around{control.config(), level, is_anybody_healthy, time};
    for (const auto& backend : level.backends) write_backend(json, *backend, around);
  }
  json.end_array();
  json.end_object();
}

}  // namespace

std::string render_clusters(const ClusterControls& clusters, const AdminTime& time) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("clusters");
  json.begin_array();
  for (const auto& control : clusters) write_cluster(json, *control, time);
  json.end_array();
  json.end_object();
  return out;
}

std::string render_backend(const ClusterControl& cluster, const Backend& backend,
                           const AdminTime& time) {
  std::string out;
  JsonWriter json(out);
  const auto snapshot = cluster.cluster()->snapshot();
  const bool is_anybody_healthy = has_healthy(*snapshot);
  for (const PriorityLevel& level : snapshot->levels) {
    for (const auto& one : level.backends) {
      if (one.get() != &backend) continue;
      write_backend(json, backend, {cluster.config(), level, is_anybody_healthy, time});
    }
  }
  return out;
}

}  // namespace sluice
