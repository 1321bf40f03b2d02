// The schema's rows, and the texts that are made of them.
#include "sluice/config/schema.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <set>

#include "support.h"

namespace sluice::test {
namespace {

constexpr std::string_view kHowToRegenerate =
    "regenerate it: ninja -C BUILD src/config/sluice-generate && BUILD/src/config/sluice-generate "
    ".";

TEST(Schema, reference_page_is_up_to_date) {
  EXPECT_EQ(file_text("docs/CONFIGURATION.md"), render_reference()) << kHowToRegenerate;
}

TEST(Schema, json_schema_is_up_to_date) {
  EXPECT_EQ(file_text("conf/sluice.schema.json"), render_json_schema()) << kHowToRegenerate;
}

TEST(Schema, json_schema_is_json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  ASSERT_FALSE(parser.parse(simdjson::padded_string(render_json_schema())).get(root));
  std::string_view type;
  EXPECT_FALSE(
      root.at_pointer("/$defs/clusters/properties/connect_timeout/anyOf/0/type").get(type));
  EXPECT_EQ(type, "string");
}

TEST(Schema, every_row_is_complete_and_there_once) {
  std::set<std::string> paths;
  for (const SchemaRow& row : schema_rows()) {
    EXPECT_TRUE(paths.insert(row.path).second) << row.path;
    EXPECT_FALSE(row.type.empty()) << row.path;
    EXPECT_FALSE(row.help.empty()) << row.path;
    const size_t dot = row.path.rfind('.');
    const bool is_in_section = dot != std::string::npos && row.path[dot - 1] != ']';
    EXPECT_TRUE(!is_in_section || paths.contains(row.path.substr(0, dot))) << row.path;
  }
}

TEST(Schema, defaults_are_the_contract_s) {
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"workers", "auto"},
      {"drain_timeout", "30s"},
      {"splice", "auto"},
      {"busy_poll", "off"},
      {"busy_poll.for", "50us"},
      {"busy_poll.max_cpu", "50"},
      {"listeners[].idle_timeout", "1h"},
      {"listeners[].half_close_timeout", "5m"},
      {"listeners[].max_duration", "off"},
      {"listeners[].backlog", "4096"},
      {"listeners[].on_unavailable", "reset"},
      {"listeners[].unix.mode", "\"0660\""},
      {"listeners[].tcp.keepalive.idle", "1m"},
      {"clusters[].tcp.dead_peer_timeout", "30s"},
      {"clusters[].balance", "round_robin"},
      {"clusters[].balance.choices", "2"},
      {"clusters[].balance.prefix_v4", "32"},
      {"clusters[].balance.prefix_v6", "128"},
      {"clusters[].balance.max_load", "off"},
      {"clusters[].balance.overprovisioning", "140"},
      {"clusters[].connect_timeout", "2s"},
      {"clusters[].connect_attempts", "3"},
      {"clusters[].connect_deadline", "6s"},
      {"clusters[].health_check", "on"},
      {"clusters[].health_check.type", "tcp"},
      {"clusters[].health_check.interval", "5s"},
      {"clusters[].health_check.method", "GET"},
      {"clusters[].health_check.path", "\"/\""},
      {"clusters[].health_check.status", "[200-399]"},
      {"clusters[].circuit_breaker.failure_threshold", "5"},
      {"clusters[].circuit_breaker.recovery_timeout", "30s"},
      {"clusters[].circuit_breaker.max_recovery_timeout", "5m"},
      {"clusters[].outlier_detection", "off"},
      {"clusters[].outlier_detection.window", "30s"},
      {"clusters[].outlier_detection.success_rate", "off"},
      {"clusters[].outlier_detection.success_rate.min_hosts", "5"},
      {"clusters[].outlier_detection.success_rate.min_volume", "100"},
      {"clusters[].outlier_detection.success_rate.stdev_factor", "1.9"},
      {"clusters[].outlier_detection.failure_percentage.threshold", "85"},
      {"clusters[].outlier_detection.failure_percentage.min_volume", "50"},
      {"clusters[].outlier_detection.early_close.threshold", "5"},
      {"clusters[].outlier_detection.max_ejected", "10"},
      {"clusters[].outlier_detection.base_ejection", "30s"},
      {"clusters[].outlier_detection.max_ejection", "5m"},
      {"clusters[].panic_threshold", "0"},
      {"clusters[].limits.max_connections", "off"},
      {"clusters[].limits.max_connections_per_backend", "off"},
      {"clusters[].limits.max_pending", "0"},
      {"clusters[].limits.queue_timeout", "5s"},
      {"clusters[].slow_start", "off"},
      {"clusters[].close_on_unhealthy", "off"},
      {"clusters[].close_on_unhealthy.over", "0s"},
      {"clusters[].backends[].weight", "1"},
  };
  const auto rows = schema_rows();
  for (const auto& [path, value] : expected) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&path = path](const SchemaRow& each) {
      return each.path == path;
    });
    ASSERT_NE(row, rows.end()) << path;
    EXPECT_EQ(row->default_value, value) << path;
  }
}

TEST(Schema, reload_is_the_contract_s) {
  const std::set<std::string> not_reloadable = {"workers",
                                                "state_file",
                                                "state_max_age",
                                                "log",
                                                "log.format",
                                                "log.file",
                                                "log.syslog",
                                                "log.syslog.address",
                                                "log.syslog.facility",
                                                "log.syslog.tag",
                                                "admin",
                                                "admin.address",
                                                "listeners[].name",
                                                "listeners[].address",
                                                "listeners[].backlog",
                                                "listeners[].unix",
                                                "listeners[].unix.mode",
                                                "listeners[].unix.owner",
                                                "listeners[].unix.group",
                                                "clusters[].name"};
  for (const SchemaRow& row : schema_rows()) {
    EXPECT_EQ(row.is_reloadable, !not_reloadable.contains(row.path)) << row.path;
  }
}

TEST(Schema, settings_of_later_versions_are_in_no_page) {
  EXPECT_EQ(render_reference().find("defer_accept"), std::string::npos);
  EXPECT_EQ(render_json_schema().find("sandbox"), std::string::npos);
}

TEST(Schema, help_names_every_setting) {
  const std::string help = render_settings_help();
  for (const SchemaRow& row : schema_rows()) EXPECT_NE(help.find(row.path), std::string::npos);
}

TEST(EffectiveConfig, reads_back_to_the_same) {
  const std::string text = R"(workers: 3
busy_poll: {for: 20us}
admin: {address: "unix:/run/a.sock", token_file: /etc/t}
log: {file: "/a/$$b \"c\"", level: error}
listeners:
  - {name: a, address: [unix:@x, "[fe80::1%2]:80"], cluster: c, max_connections: 5,
     idle_timeout: 1.5s, unix: {owner: me}, tcp: {keepalive: off, user_timeout: 10.5ms}}
clusters:
  - name: c
    source_address: "fd00::1"
    panic_threshold: 33.25
    circuit_breaker: off
    limits: {max_connections: 40, max_pending: 3, queue_timeout: 1.5s}
    slow_start: 1m
    close_on_unhealthy: {over: 250ms}
    backends: [db.example:1, {address: 10.0.0.1:1, name: x, state: maintenance, health_check_port: 9}]
    health_check: {send: {hex: 00ff24}, expect: "\x01\n$$", port: 7}
  - {name: d, backends: [], health_check: off, balance: least_connections}
  - {name: e, backends: [], health_check: {steps: [{expect: a}, {send: {hex: ff}}, {expect: "$$"}]}}
  - {name: f, backends: [], health_check: {type: http, method: HEAD, host: h, status: [204, 301-302]}}
)";
  const ReadResult first = read(text);
  ASSERT_TRUE(first.config) << render_problems("file", text, first.problems);
  const std::string effective = render_effective_config(*first.config);
  const ReadResult second = read(effective);
  ASSERT_TRUE(second.config) << render_problems("effective", effective, second.problems);
  EXPECT_EQ(render_effective_config(*second.config), effective);
  EXPECT_TRUE(second.config->busy_poll.is_enabled);
  EXPECT_EQ(second.config->busy_poll.span, std::chrono::microseconds(20));
  const ClusterConfig& cluster = second.config->clusters[0];
  EXPECT_EQ(cluster.settings.limits,
            (ConnectionLimits{.of_cluster = 40, .of_backend = std::nullopt}));
  EXPECT_EQ(cluster.settings.pending,
            (PendingSettings{.clients_max = 3, .timeout = std::chrono::milliseconds(1500)}));
  EXPECT_EQ(cluster.settings.slow_start, std::chrono::minutes(1));
  EXPECT_TRUE(cluster.close_on_unhealthy.is_enabled);
  EXPECT_EQ(cluster.close_on_unhealthy.over, std::chrono::milliseconds(250));
  EXPECT_FALSE(second.config->clusters[1].close_on_unhealthy.is_enabled);
  EXPECT_EQ(second.config->log.file, "/a/$b \"c\"");
  EXPECT_EQ(second.config->clusters[0].health_check->send, std::string("\0\xFF$", 3));
  EXPECT_EQ(second.config->clusters[0].health_check->expect, "\x01\n$");
  EXPECT_EQ(second.config->clusters[0].backends[0].name, "db.example:1");
  EXPECT_EQ(second.config->clusters[2].health_check->steps[1].send, "\xFF");
  EXPECT_EQ(second.config->clusters[3].health_check->http.status,
            (std::vector<StatusRange>{{204, 204}, {301, 302}}));
  const std::string json = render_effective_config_json(*first.config);
  const ReadResult third = read(json);
  ASSERT_TRUE(third.config) << render_problems("json", json, third.problems);
  EXPECT_EQ(render_effective_config(*third.config), effective);
}

TEST(EffectiveConfig, as_json_has_numbers_truths_and_lists_as_such) {
  const std::string json = render_effective_config_json(config_of(R"(
listeners: [{name: a, address: "unix:/x, y", cluster: c}]
clusters: [{name: c, backends: [10.0.0.1:1], panic_threshold: 33.25,
            health_check: {send: {hex: ff}, expect: x}}]
)"));
  for (const std::string_view part :
       {R"("workers":"auto")", R"("panic_threshold":33.25)", R"("early_trial":true)",
        R"("address":["unix:/x, y"])", R"("send":{"hex":"ff"})", R"("mode":"0660")",
        R"("drain_timeout":"30s")", R"("slow_start":"off")"}) {
    EXPECT_NE(json.find(part), std::string::npos) << part << " in " << json;
  }
}

}  // namespace
}  // namespace sluice::test
