#include "read_rows.h"
#include "tcp_rows.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;
using BackendRow = Row<BackendConfig>;
using ClusterRow = Row<ClusterConfig>;
using ProbeStepRow = Row<ProbeStepConfig>;

constexpr int64_t kPayloadBytesMax = 4096;
constexpr int64_t kRequestBytesMax = 4096;  // of a path or a host

void append(std::vector<ClusterRow>& rows, std::vector<ClusterRow> more) {
  for (ClusterRow& row : more) rows.push_back(std::move(row));
}

std::vector<ClusterRow> balance_rows() {
  const auto by_client = [](const ClusterConfig& cluster) {
    return looks_at_the_client(cluster.settings.balance.policy);
  };
  const auto at_random = [](const ClusterConfig& cluster) {
    return cluster.settings.balance.policy == BalancePolicy::random;
  };
  return {
      {"balance", section("policy"), Reload::yes, "how a backend is chosen; all honour weights"},
      {"balance.policy", FIELD(settings.balance.policy),
       choice({kBalancePolicyNames.begin(), kBalancePolicyNames.end()}), Reload::yes,
       "round_robin: in turn. least_connections: the one with the fewest for its weight (among "
       "more than 512, of five drawn at random). random: the one with the fewest of `choices` "
       "drawn "
       "at random. source_hash, maglev: by the client's address, the same backend in every process "
       "that knows the same names; source_hash moves the fewest clients when backends change, "
       "maglev is faster with more than about a hundred. first: in this order, each until it takes "
       "no more"},
      ClusterRow("balance.choices", FIELD(settings.balance.choices), integer(1, kChoicesMax),
                 Reload::yes,
                 "policy random: how many different backends are drawn; 1: no second look")
          .only_while(at_random),
      ClusterRow("balance.prefix_v4", FIELD(settings.balance.prefix_v4), integer(0, 32),
                 Reload::yes,
                 "policies source_hash and maglev: leading bits of an IPv4 client's address that "
                 "count; with 24, a whole /24 goes to one backend")
          .only_while(by_client),
      ClusterRow("balance.prefix_v6", FIELD(settings.balance.prefix_v6), integer(0, 128),
                 Reload::yes, "the same of an IPv6 client's; 64 is one subscriber's network")
          .only_while(by_client),
      ClusterRow("balance.max_load", FIELD(settings.balance.max_load),
                 integer(101, 10'000).or_off(), Reload::yes,
                 "policies source_hash and maglev: percentage of its fair share of the connections "
                 "that a backend takes before clients go on to the next in their order; 125 is a "
                 "good one")
          .only_while(by_client),
      {"balance.overprovisioning", FIELD(settings.balance.overprovisioning), integer(100, 1000),
       Reload::yes,
       "percentage by which the available part of a priority is counted higher before the rest of "
       "its traffic goes to the next: with 140, from 71 percent available it takes everything"},
  };
}

std::vector<ClusterRow> health_check_rows() {
  return {
      ClusterRow::switchable(
          "health_check",
          [](ClusterConfig& cluster) {
            cluster.health_check.reset();
            cluster.settings.has_probes = false;
          },
          [](const ClusterConfig& cluster) { return cluster.health_check.has_value(); },
          Reload::yes, "probes: a connection now and then to see whether a backend is alive"),
      {"health_check.type", FIELD(health_check->type), choice({"tcp", "http"}), Reload::yes,
       "tcp: a connect, and an answer where one is expected; http: a request and its status"},
      {"health_check.interval", FIELD(health_check->interval), duration(10ms, 24h), Reload::yes,
       "from one probe of a backend to the next"},
      {"health_check.unhealthy_interval", FIELD(health_check->unhealthy_interval),
       duration(10ms, 24h), Reload::yes,
       "the same while it is unhealthy; when a verdict is about to change (a failed probe, a first "
       "good one, a breaker that is not closed) the shorter of both"},
      {"health_check.timeout", FIELD(health_check->timeout), duration(1ms, 1h), Reload::yes,
       "for the connect and the answer together"},
      {"health_check.healthy_threshold", FIELD(settings.health_thresholds.healthy),
       integer(1, 1000), Reload::yes, "passed probes in a row that make it healthy again"},
      {"health_check.unhealthy_threshold", FIELD(settings.health_thresholds.unhealthy),
       integer(1, 1000), Reload::yes, "failed probes in a row that make it unhealthy"},
      {"health_check.jitter", FIELD(health_check->jitter), percent(), Reload::yes,
       "how much of the interval a probe may be early or late"},
      {"health_check.port", FIELD(health_check->port), integer(1, 65535), Reload::yes,
       "probe this port and not the backend's own; such a probe never takes a breaker's trial"},
      {"health_check.send", FIELD(health_check->send), payload(kPayloadBytesMax), Reload::yes,
       "bytes to send after the connect, as \"PING\\r\\n\" or {hex: \"50 49\"}"},
      {"health_check.expect", FIELD(health_check->expect), payload(kPayloadBytesMax), Reload::yes,
       "bytes that the answer must contain, anywhere"},
      list_row<ClusterConfig>("health_check.steps", FIELD(health_check->steps), probe_step_table,
                              list(), Reload::yes,
                              "a dialogue in place of `send` and `expect`: what to send and to "
                              "expect, in that order")
          .only_while(
              [](const ClusterConfig& cluster) { return !cluster.health_check->steps.empty(); }),
  };
}

std::vector<ClusterRow> http_probe_rows() {
  std::vector<ClusterRow> rows = {
      {"health_check.method", FIELD(health_check->http.method),
       choice({"GET", "HEAD", "OPTIONS", "POST"}), Reload::yes,
       "http: the request's method; nothing is sent after its head"},
      {"health_check.path", FIELD(health_check->http.path), text(kRequestBytesMax), Reload::yes,
       "http: what is asked for, with its query if there is one"},
      {"health_check.host", FIELD(health_check->http.host), text(kRequestBytesMax), Reload::yes,
       "http: the Host header; the address that is probed when it is not given"},
      {"health_check.status", FIELD(health_check->http.status), status_range().or_list(),
       Reload::yes, "http: the statuses that pass"},
  };
  for (ClusterRow& row : rows) {
    row.applies = [](const ClusterConfig& cluster) {
      return cluster.health_check->type == ProbeType::http;
    };
  }
  return rows;
}

std::vector<ClusterRow> circuit_breaker_rows() {
  return {
      ClusterRow::switchable(
          "circuit_breaker",
          [](ClusterConfig& cluster) { cluster.settings.circuit_breaker.is_enabled = false; },
          [](const ClusterConfig& cluster) { return cluster.settings.circuit_breaker.is_enabled; },
          Reload::yes, "one for each backend: keeps clients away from it while connects fail"),
      {"circuit_breaker.failure_threshold", FIELD(settings.circuit_breaker.failure_threshold),
       integer(1, 1'000'000), Reload::yes,
       "failed connects in a row, of all workers, that open it"},
      {"circuit_breaker.recovery_timeout", FIELD(settings.circuit_breaker.recovery_timeout),
       duration(10ms, 24h), Reload::yes,
       "how long it stays open before one connection may try; doubles with every failed trial"},
      {"circuit_breaker.max_recovery_timeout", FIELD(settings.circuit_breaker.max_recovery_timeout),
       duration(10ms, 168h), Reload::yes, "where the doubling ends"},
      {"circuit_breaker.success_threshold", FIELD(settings.circuit_breaker.success_threshold),
       integer(1, 100), Reload::yes, "trials in a row that must succeed to close it"},
      {"circuit_breaker.jitter", FIELD(settings.circuit_breaker.jitter), percent(), Reload::yes,
       "how much the time it stays open varies either way"},
      {"circuit_breaker.early_trial", FIELD(settings.circuit_breaker.early_trial), boolean(),
       Reload::yes, "let probes that pass bring the trial forward"},
  };
}

std::vector<ClusterRow> limit_rows() {
  return {
      {"limits", section(), Reload::yes,
       "how many connections there may be at a time. At a limit a client waits while there is "
       "room in the queue, else it is refused"},
      {"limits.max_connections", FIELD(settings.limits.of_cluster),
       integer(1, 100'000'000).or_off(), Reload::yes, "of all its backends together"},
      {"limits.max_connections_per_backend", FIELD(settings.limits.of_backend),
       integer(1, 100'000'000).or_off(), Reload::yes, "of each backend"},
      {"limits.max_pending", FIELD(settings.pending.clients_max), integer(0, 1'000'000),
       Reload::yes, "clients that may wait for a place, first come, first served; 0: none"},
      {"limits.queue_timeout", FIELD(settings.pending.timeout), duration(1ms, 1h), Reload::yes,
       "how long one waits before it is refused; connect_deadline begins afterwards"},
  };
}

std::vector<ClusterRow> retry_budget_rows() {
  return {
      ClusterRow::switchable(
          "retry_budget",
          [](ClusterConfig& cluster) { cluster.settings.retry_budget.is_enabled = false; },
          [](const ClusterConfig& cluster) { return cluster.settings.retry_budget.is_enabled; },
          Reload::yes,
          "a bound on second and later attempts, so that they do not multiply an outage; a client "
          "that would exceed it is refused")
          .switched_on_by(
              [](ClusterConfig& cluster) { cluster.settings.retry_budget.is_enabled = true; }),
      {"retry_budget.percent", FIELD(settings.retry_budget.percent), percent(), Reload::yes,
       "the share of retries in the connects of the last ten seconds"},
      {"retry_budget.min", FIELD(settings.retry_budget.min), integer(0, 1'000'000), Reload::yes,
       "retries that there may always be in ten seconds"},
  };
}

std::vector<ClusterRow> recovery_rows() {
  return {
      {"slow_start", FIELD(settings.slow_start), duration(10ms, 24h).or_off(), Reload::yes,
       "a backend that has recovered or was added gets a tenth of its share, growing to all of it "
       "over that time"},
      ClusterRow::switchable(
          "close_on_unhealthy",
          [](ClusterConfig& cluster) { cluster.close_on_unhealthy.is_enabled = false; },
          [](const ClusterConfig& cluster) { return cluster.close_on_unhealthy.is_enabled; },
          Reload::yes,
          "end a backend's sessions when its probes have found it unhealthy; connects under way "
          "are "
          "tried elsewhere")
          .switched_on_by(
              [](ClusterConfig& cluster) { cluster.close_on_unhealthy.is_enabled = true; }),
      {"close_on_unhealthy.over", FIELD(close_on_unhealthy.over), duration(0ms, 1h), Reload::yes,
       "not all at once but spread over that time; none is ended any more when it recovers"},
  };
}

// A detector's section: on when given.
template <typename Detector>
ClusterRow detector_row(std::string_view key, Detector detector, std::string_view help) {
  return ClusterRow::switchable(
             key, [detector](ClusterConfig& cluster) { detector(cluster).is_enabled = false; },
             [detector](const ClusterConfig& cluster) { return detector(cluster).is_enabled; },
             Reload::yes, help)
      .switched_on_by([detector](ClusterConfig& cluster) { detector(cluster).is_enabled = true; });
}

std::vector<ClusterRow> outlier_detection_rows() {
  return {
      detector_row("outlier_detection", FIELD(settings.outlier_detection),
                   "takes out a backend whose connections go badly, through its breaker, by the "
                   "detectors that are given below; and a backend that opens again and again stays "
                   "out longer"),
      {"outlier_detection.window", FIELD(settings.outlier_detection.window), duration(1s, 1h),
       Reload::yes, "how far back connects count for success_rate and failure_percentage"},
      detector_row("outlier_detection.success_rate", FIELD(settings.outlier_detection.success_rate),
                   "ejects a backend whose share of successful connects is far below the others'"),
      {"outlier_detection.success_rate.min_hosts",
       FIELD(settings.outlier_detection.success_rate.min_hosts), integer(2, 10'000), Reload::yes,
       "backends with enough connects that it takes to compare them"},
      {"outlier_detection.success_rate.min_volume",
       FIELD(settings.outlier_detection.success_rate.min_volume), integer(1, 1'000'000),
       Reload::yes, "connects in the window that are enough"},
      {"outlier_detection.success_rate.stdev_factor",
       FIELD(settings.outlier_detection.success_rate.stdev_factor), decimal(0, 10), Reload::yes,
       "standard deviations below the mean that are too far"},
      detector_row("outlier_detection.failure_percentage",
                   FIELD(settings.outlier_detection.failure_percentage),
                   "ejects a backend of whose connects too many fail"),
      {"outlier_detection.failure_percentage.threshold",
       FIELD(settings.outlier_detection.failure_percentage.threshold), percent(), Reload::yes,
       "this percentage of failed connects is too much"},
      {"outlier_detection.failure_percentage.min_volume",
       FIELD(settings.outlier_detection.failure_percentage.min_volume), integer(1, 1'000'000),
       Reload::yes, "connects in the window that it takes to judge"},
      detector_row("outlier_detection.early_close", FIELD(settings.outlier_detection.early_close),
                   "ejects a backend that accepts and then ends connections before its first byte; "
                   "only for servers that always have something to say"),
      {"outlier_detection.early_close.threshold",
       FIELD(settings.outlier_detection.early_close.threshold), integer(1, 1'000'000), Reload::yes,
       "such connections in a row, of all workers; a single byte ends the row"},
      {"outlier_detection.max_ejected", FIELD(settings.outlier_detection.max_ejected), percent(),
       Reload::yes,
       "how many of the backends these detectors may have out at a time; always one, and never "
       "the last available one"},
      {"outlier_detection.base_ejection", FIELD(settings.outlier_detection.base_ejection),
       duration(10ms, 24h), Reload::yes,
       "how long an ejected backend stays out before one connection may try; doubles with every "
       "failed trial and every ejection that soon follows"},
      {"outlier_detection.max_ejection", FIELD(settings.outlier_detection.max_ejection),
       duration(10ms, 168h), Reload::yes, "where the doubling ends"},
  };
}

std::vector<ClusterRow> later_rows() {
  std::vector<ClusterRow> rows;
  for (const std::string_view key : {"resolve_interval", "removal_timeout", "proxy_protocol"}) {
    rows.push_back(ClusterRow::later(key));
  }
  return rows;
}

std::vector<ClusterRow> make_cluster_rows() {
  std::vector<ClusterRow> rows = {
      ClusterRow("name", FIELD(name), name_type(), Reload::no, "what it is called; unique")
          .required(),
      list_row<ClusterConfig>("backends", FIELD(backends), backend_table, list("address"),
                              Reload::yes, "its servers: addresses, or maps"),
      {"source_address", FIELD(source_address), source_address(), Reload::yes,
       "the address to connect from; the kernel's choice when it is not given"},
      {"connect_timeout", FIELD(settings.connect_timeout), duration(1ms, 10min), Reload::yes,
       "for one attempt; two seconds let one lost SYN be sent again"},
      {"connect_attempts", FIELD(settings.connect_attempts), integer(1, 64), Reload::yes,
       "attempts of one session, each on a backend not yet tried while there is one"},
      {"connect_deadline", FIELD(settings.connect_deadline), duration(1ms, 1h), Reload::yes,
       "for all attempts together"},
      {"panic_threshold", FIELD(settings.panic_threshold), percent(), Reload::yes,
       "when fewer than this percentage of the ready backends are not unhealthy, probes are "
       "ignored; 0 is off"},
  };
  rows[1].presence = Presence::required;
  append(rows, balance_rows());
  append(rows, health_check_rows());
  append(rows, http_probe_rows());
  append(rows, circuit_breaker_rows());
  append(rows, limit_rows());
  append(rows, retry_budget_rows());
  append(rows, recovery_rows());
  append(rows, outlier_detection_rows());
  append_tcp_rows(rows);
  append(rows, later_rows());
  return rows;
}

std::vector<BackendRow> make_backend_rows() {
  return {
      BackendRow("address", FIELD(address), peer_address(), Reload::yes,
                 "10.0.0.1:80, \"[::1]:80\", host.example:80, unix:/run/x.sock")
          .required(),
      {"name", FIELD(name), name_type(), Reload::yes,
       "unique in its cluster; the address when it is not given"},
      {"weight", FIELD(weight), integer(0, kBackendWeightMax), Reload::yes,
       "its share of the sessions; 0: none at all"},
      {"priority", FIELD(priority), integer(0, 1000), Reload::yes,
       "a higher number is used as far as the backends of lower ones are not available"},
      {"state", FIELD(admin_state), choice({"ready", "draining", "maintenance"}), Reload::yes,
       "administrative state at the start; draining keeps its sessions and gets no new one"},
      {"health_check_port", FIELD(health_check_port), integer(1, 65535), Reload::yes,
       "probe this port of it and not its own"},
      BackendRow::later("labels"),
  };
}

}  // namespace

void finish_member(const Node& node, BackendConfig& backend) {
  if (!backend.name.empty()) return;
  const Node* address = node.is_scalar() ? &node : node.find("address");
  if (address != nullptr) backend.name = address->text;
}

const Table<ProbeStepConfig>& probe_step_table() {
  static const Table<ProbeStepConfig> table = {
      "clusters[].health_check.steps[]",
      "step",
      {{"send", FIELD(send), payload(kPayloadBytesMax), Reload::yes, "bytes to send"},
       {"expect", FIELD(expect), payload(kPayloadBytesMax), Reload::yes,
        "bytes that must come, anywhere after what the step before found"}}};
  return table;
}

const Table<BackendConfig>& backend_table() {
  static const Table<BackendConfig> table = {"clusters[].backends[]", "backend",
                                             make_backend_rows()};
  return table;
}

const Table<ClusterConfig>& cluster_table() {
  static const Table<ClusterConfig> table = {"clusters[]", "cluster", make_cluster_rows()};
  return table;
}

}  // namespace sluice
