// What a right file becomes.
#include <gtest/gtest.h>

#include "support.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kSmallest = R"(listeners:
  - {name: web, address: 0.0.0.0:8080, cluster: web}
clusters:
  - name: web
    backends: [10.0.0.1:80, 10.0.0.2:80]
)";

TEST(Reader, smallest_file_of_the_contract_is_enough) {
  const Config config = config_of(kSmallest);
  ASSERT_EQ(config.listeners.size(), 1U);
  EXPECT_EQ(config.listeners[0].name, "web");
  EXPECT_EQ(config.listeners[0].addresses, std::vector{Address::ipv4({0, 0, 0, 0}, 8080)});
  EXPECT_EQ(config.listeners[0].cluster, "web");
  ASSERT_EQ(config.clusters.size(), 1U);
  ASSERT_EQ(config.clusters[0].backends.size(), 2U);
  EXPECT_EQ(config.clusters[0].backends[1].address, Address::ipv4({10, 0, 0, 2}, 80));
}

TEST(Reader, json_is_read_as_it_is) {
  const Config config = config_of(R"({
	"workers": 4,
	"listeners": [{"name": "web", "address": ["0.0.0.0:80", "[::1]:80"], "cluster": "web"}],
	"clusters": [{"name": "web", "backends": [{"address": "10.0.0.1:80", "weight": 3}],
		"circuit_breaker": false, "balance": {"policy": "least_connections"}}]
})");
  EXPECT_EQ(config.workers, 4U);
  EXPECT_EQ(config.listeners[0].addresses.size(), 2U);
  EXPECT_EQ(config.clusters[0].backends[0].weight, 3U);
  EXPECT_FALSE(config.clusters[0].settings.circuit_breaker.is_enabled);
  EXPECT_EQ(config.clusters[0].settings.balance.policy, BalancePolicy::least_connections);
}

TEST(Reader, escapes_of_json_are_read) {
  EXPECT_EQ(config_of(file_with(R"("log": {"file": "\/a\u00e9\t\"\\"})")).log.file,
            "/a\u00e9\t\"\\");
}

TEST(Reader, byte_order_mark_and_windows_line_ends_are_taken) {
  const Config config = config_of(
      "\xEF\xBB\xBFworkers: 2\r\n# \r\nlisteners: [{name: a, address: 0.0.0.0:1, cluster: b}]\r\n"
      "clusters: [{name: b, backends: [10.0.0.1:80]}]\r\n");
  EXPECT_EQ(config.workers, 2U);
}

TEST(Reader, process_settings_land_in_their_fields) {
  const Config config = config_of(file_with(R"(workers: 3
max_connections: 1000
drain_timeout: off
splice: off
log: {level: debug, format: json, file: /tmp/a.log}
access_log: {file: stderr, format: json}
admin: {address: "[::1]:9", token_file: /etc/token})"));
  EXPECT_EQ(config.workers, 3U);
  EXPECT_EQ(config.max_connections, 1000U);
  EXPECT_EQ(config.drain_timeout, std::nullopt);
  EXPECT_EQ(config.splice, SpliceMode::off);
  EXPECT_EQ(config.log.level, LogLevel::debug);
  EXPECT_EQ(config.log.format, LogFormat::json);
  EXPECT_EQ(config.log.file, "/tmp/a.log");
  EXPECT_EQ(config.access_log.file, "stderr");
  EXPECT_EQ(config.access_log.format.kind(), AccessLogFormat::Kind::json);
  EXPECT_EQ(config.admin.address->to_string(), "[::1]:9");
  EXPECT_EQ(config.admin.token_file, "/etc/token");
}

TEST(Reader, listener_settings_land_in_their_fields) {
  const Config config = config_of(listener_with(R"(
  idle_timeout: 90s, half_close_timeout: off, max_duration: 1.5h, max_connections: 10, backlog: 128,
  on_unavailable: close, unix: {mode: "0600", owner: www, group: "33"},
  tcp: {nodelay: false, keepalive: {idle: 5s, probes: 9}, dead_peer_timeout: 10s,
        user_timeout: 20s})"));
  const ListenerConfig& listener = config.listeners[0];
  EXPECT_EQ(listener.idle_timeout, 90s);
  EXPECT_EQ(listener.half_close_timeout, std::nullopt);
  EXPECT_EQ(listener.max_duration, 90min);
  EXPECT_EQ(listener.max_connections, 10U);
  EXPECT_EQ(listener.backlog, 128U);
  EXPECT_EQ(listener.on_unavailable, OnUnavailable::close);
  EXPECT_EQ(listener.unix_socket.mode, 0600U);
  EXPECT_EQ(listener.unix_socket.owner, "www");
  EXPECT_EQ(listener.unix_socket.group, "33");
  EXPECT_FALSE(listener.tcp.nodelay);
  EXPECT_EQ(listener.tcp.keepalive->idle, 5s);
  EXPECT_EQ(listener.tcp.keepalive->interval, 10s);
  EXPECT_EQ(listener.tcp.keepalive->probes, 9U);
  EXPECT_EQ(listener.tcp.dead_peer_timeout, 10s);
  EXPECT_EQ(listener.tcp.user_timeout, 20s);
}

TEST(Reader, cluster_settings_land_in_their_fields) {
  const Config config = config_of(cluster_with(R"(
  balance: least_connections, connect_timeout: 250ms, connect_attempts: 1, connect_deadline: 2s,
  panic_threshold: 12.5, source_address: 10.0.0.9, tcp: {keepalive: off},
  health_check: {type: tcp, interval: 2s, unhealthy_interval: 3s, timeout: 100ms, jitter: 0,
                 healthy_threshold: 4, unhealthy_threshold: 5, port: 81, send: "PING\r\n",
                 expect: {hex: "2b 50 4F 4e47"}},
  circuit_breaker: {failure_threshold: 6, recovery_timeout: 7s, max_recovery_timeout: 8s,
                    success_threshold: 9, jitter: 50, early_trial: false})"));
  const ClusterConfig& cluster = config.clusters[0];
  EXPECT_EQ(cluster.settings.balance.policy, BalancePolicy::least_connections);
  EXPECT_EQ(cluster.settings.connect_timeout, 250ms);
  EXPECT_EQ(cluster.settings.connect_attempts, 1U);
  EXPECT_EQ(cluster.settings.connect_deadline, 2s);
  EXPECT_EQ(cluster.settings.panic_threshold, 12.5);
  EXPECT_EQ(cluster.source_address, Address::ipv4({10, 0, 0, 9}, 0));
  EXPECT_EQ(cluster.tcp.keepalive.has_value(), false);
  ASSERT_TRUE(cluster.health_check);
  EXPECT_EQ(cluster.health_check->interval, 2s);
  EXPECT_EQ(cluster.health_check->unhealthy_interval, 3s);
  EXPECT_EQ(cluster.health_check->timeout, 100ms);
  EXPECT_EQ(cluster.health_check->jitter, 0);
  EXPECT_EQ(cluster.health_check->port, 81);
  EXPECT_EQ(cluster.health_check->send, "PING\r\n");
  EXPECT_EQ(cluster.health_check->expect, "+PONG");
  EXPECT_EQ(cluster.settings.health_thresholds, (HealthThresholds{4, 5}));
  EXPECT_EQ(cluster.settings.circuit_breaker, (CircuitBreakerSettings{.is_enabled = true,
                                                                      .failure_threshold = 6,
                                                                      .recovery_timeout = 7s,
                                                                      .max_recovery_timeout = 8s,
                                                                      .success_threshold = 9,
                                                                      .jitter = 50,
                                                                      .early_trial = false}));
}

TEST(Reader, limits_land_in_their_fields_and_are_off_by_default) {
  const ClusterSettings usual = config_of(cluster_with("")).clusters[0].settings;
  EXPECT_EQ(usual.limits, ConnectionLimits{});
  EXPECT_EQ(usual.pending, (PendingSettings{.clients_max = 0, .timeout = 5s}));
  const ClusterSettings own =
      config_of(cluster_with("limits: {max_connections: 100, max_connections_per_backend: 7, "
                             "max_pending: 9, queue_timeout: 250ms}"))
          .clusters[0]
          .settings;
  EXPECT_EQ(own.limits, (ConnectionLimits{.of_cluster = 100, .of_backend = 7}));
  EXPECT_EQ(own.pending, (PendingSettings{.clients_max = 9, .timeout = 250ms}));
  const ClusterSettings off =
      config_of(cluster_with("limits: {max_connections: off, max_connections_per_backend: false}"))
          .clusters[0]
          .settings;
  EXPECT_EQ(off.limits, ConnectionLimits{});
}

TEST(Reader, slow_start_is_a_time_or_off) {
  const auto slow_start = [](std::string_view text) {
    return config_of(cluster_with(text)).clusters[0].settings.slow_start;
  };
  EXPECT_EQ(slow_start(""), std::nullopt);
  EXPECT_EQ(slow_start("slow_start: off"), std::nullopt);
  EXPECT_EQ(slow_start("slow_start: 90s"), 90s);
}

TEST(Reader, close_on_unhealthy_is_a_word_or_a_map) {
  const auto closing = [](std::string_view text) {
    return config_of(cluster_with(text)).clusters[0].close_on_unhealthy;
  };
  EXPECT_FALSE(closing("").is_enabled);
  EXPECT_FALSE(closing("close_on_unhealthy: false").is_enabled);
  for (const std::string_view on :
       {"close_on_unhealthy: true", "close_on_unhealthy: on", "close_on_unhealthy: {}"}) {
    EXPECT_TRUE(closing(on).is_enabled) << on;
    EXPECT_EQ(closing(on).over, 0s) << on;
  }
  EXPECT_TRUE(closing("close_on_unhealthy: {over: 10s}").is_enabled);
  EXPECT_EQ(closing("close_on_unhealthy: {over: 10s}").over, 10s);
}

TEST(Reader, busy_poll_is_switched_on_by_a_map) {
  EXPECT_FALSE(config_of(file_with("")).busy_poll.is_enabled);
  const BusyPollConfig usual = config_of(file_with("busy_poll: {}")).busy_poll;
  EXPECT_TRUE(usual.is_enabled);
  EXPECT_EQ(usual.span, 50us);
  EXPECT_EQ(usual.cpu_percent_max, 50U);
  const BusyPollConfig own = config_of(file_with("busy_poll: {for: 7us, max_cpu: 90}")).busy_poll;
  EXPECT_EQ(own.span, 7us);
  EXPECT_EQ(own.cpu_percent_max, 90U);
  EXPECT_FALSE(config_of(file_with("busy_poll: off")).busy_poll.is_enabled);
}

TEST(Reader, sections_that_are_on_or_true_have_their_defaults) {
  for (const std::string_view on : {"on", "true", "\"on\""}) {
    const ClusterConfig cluster =
        config_of(cluster_with(fmt::format("health_check: {0}, circuit_breaker: {0}", on)))
            .clusters[0];
    ASSERT_TRUE(cluster.health_check);
    EXPECT_EQ(cluster.health_check->interval, 5s);
    EXPECT_TRUE(cluster.settings.circuit_breaker.is_enabled);
    EXPECT_TRUE(config_of(file_with(fmt::format("busy_poll: {}", on))).busy_poll.is_enabled);
  }
}

TEST(Reader, sections_that_are_off_or_false_are_off) {
  for (const std::string_view off : {"off", "false", "\"off\""}) {
    const ClusterConfig cluster =
        config_of(cluster_with(fmt::format("health_check: {0}, circuit_breaker: {0}", off)))
            .clusters[0];
    EXPECT_FALSE(cluster.health_check);
    EXPECT_FALSE(cluster.settings.has_probes);
    EXPECT_FALSE(cluster.settings.circuit_breaker.is_enabled);
  }
}

TEST(Reader, backends_are_addresses_or_maps) {
  const ClusterConfig cluster = config_of(R"(listeners: [{name: a, address: unix:@a, cluster: c}]
clusters:
  - name: c
    backends:
      - db.example:5432
      - "[fd00::1]:80"
      - unix:/run/x.sock
      - {address: 10.0.0.1:80, name: one, weight: 0, priority: 2, state: draining,
         health_check_port: 81}
)")
                                    .clusters[0];
  ASSERT_EQ(cluster.backends.size(), 4U);
  EXPECT_EQ(cluster.backends[0].name, "db.example:5432");
  EXPECT_TRUE(cluster.backends[0].address.is_name());
  EXPECT_EQ(cluster.backends[1].name, "[fd00::1]:80");
  EXPECT_EQ(cluster.backends[2].address, Address::unix_path("/run/x.sock"));
  const BackendConfig& last = cluster.backends[3];
  EXPECT_EQ(last.name, "one");
  EXPECT_EQ(last.weight, 0U);
  EXPECT_EQ(last.priority, 2U);
  EXPECT_EQ(last.admin_state, AdminState::draining);
  EXPECT_EQ(last.health_check_port, 81);
}

TEST(Reader, alias_repeats_a_value) {
  const Config config = config_of(R"(listeners: [{name: a, address: unix:@a, cluster: c},
  {name: b, address: unix:@b, cluster: d}]
clusters:
  - {name: c, backends: [10.0.0.1:80], health_check: &probe {interval: 7s}}
  - {name: d, backends: [10.0.0.1:80], health_check: *probe}
)");
  EXPECT_EQ(config.clusters[0].health_check->interval, 7s);
  EXPECT_EQ(config.clusters[1].health_check->interval, 7s);
}

TEST(Reader, durations_are_exact) {
  const auto timeout_of = [](std::string_view text) {
    return config_of(listener_with(fmt::format("max_duration: {}", text)))
        .listeners[0]
        .max_duration;
  };
  EXPECT_EQ(timeout_of("250ms"), 250ms);
  EXPECT_EQ(timeout_of("10.000001ms"), 10'000'001ns);
  EXPECT_EQ(timeout_of("0.1s"), 100ms);
  EXPECT_EQ(timeout_of("1.5m"), 90s);
  EXPECT_EQ(timeout_of("2h"), 2h);
}

TEST(Reader, balance_is_a_policy_with_what_it_is_told) {
  const Config config = config_of(
      "clusters:\n"
      "  - {name: a, backends: [10.0.0.1:80], balance: first}\n"
      "  - {name: b, backends: [10.0.0.1:80], balance: {policy: random, choices: 3}}\n"
      "  - {name: c, backends: [10.0.0.1:80, {address: 10.0.0.2:80, priority: 1}],\n"
      "     balance: {policy: maglev, prefix_v4: 24, prefix_v6: 64, max_load: 125, "
      "overprovisioning: 200}}\n"
      "listeners:\n"
      "  - {name: a, address: 127.0.0.1:1, cluster: a}\n"
      "  - {name: b, address: 127.0.0.1:2, cluster: b}\n"
      "  - {name: c, address: 127.0.0.1:3, cluster: c}\n");
  EXPECT_EQ(config.clusters[0].settings.balance, BalanceSettings{.policy = BalancePolicy::first});
  EXPECT_EQ(config.clusters[1].settings.balance,
            (BalanceSettings{.policy = BalancePolicy::random, .choices = 3}));
  EXPECT_EQ(config.clusters[2].settings.balance, (BalanceSettings{.policy = BalancePolicy::maglev,
                                                                  .prefix_v4 = 24,
                                                                  .prefix_v6 = 64,
                                                                  .max_load = 125,
                                                                  .overprovisioning = 200}));
}

}  // namespace
}  // namespace sluice::test
