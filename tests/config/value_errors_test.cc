// Values that are wrong by themselves: each an error at the value, the rest still read.
#include <gtest/gtest.h>

#include "support.h"

namespace sluice::test {
namespace {

TEST(ValueErrors, duration_without_unit_says_so) {
  EXPECT_EQ(problems_of(listener_with("idle_timeout: 5")),
            Lines{"2:15+1 error: idle_timeout: a duration needs a unit: 5ms, 5s, 5m or 5h"});
}

TEST(ValueErrors, misspelt_durations_are_errors) {
  for (const std::string_view text : {"5x", "5 s", "5sec", "1m30s", "1d", "5S", ".5s", "5.s", "-5s",
                                      "1e3ms", "1.2.3s", "s", "+1s", "5ns", "infinity"}) {
    const std::string duration = fmt::format("'{}'", text);
    EXPECT_EQ(
        problems_of(listener_with(fmt::format("idle_timeout: {}", text))),
        Lines{fmt::format("2:15+{} error: idle_timeout: expected a duration as in 250ms, 5s, 1m "
                          "or 2h, or off, not {}",
                          text.size(), duration)});
  }
}

TEST(ValueErrors, durations_have_bounds) {
  EXPECT_EQ(problems_of(cluster_with("connect_timeout: 0ms")),
            Lines{"2:18+3 error: connect_timeout: '0ms' is out of range: 1ms to 10m"});
  EXPECT_EQ(problems_of(listener_with("idle_timeout: 0s")),
            Lines{"2:15+2 error: idle_timeout: '0s' is out of range: 10ms to 8760h, or off"});
  EXPECT_EQ(
      problems_of(cluster_with("connect_timeout: 99999999999999999999h")),
      Lines{"2:18+21 error: connect_timeout: '99999999999999999999h' is out of range: 1ms to 10m"});
  EXPECT_EQ(problems_of(cluster_with("connect_timeout: 9223372036854775807ms")).size(), 1U);
}

TEST(ValueErrors, a_required_timeout_cannot_be_off) {
  EXPECT_EQ(
      problems_of(cluster_with("connect_timeout: off")),
      Lines{"2:18+3 error: connect_timeout: expected a duration as in 250ms, 5s, 1m or 2h, not "
            "'off'"});
}

TEST(ValueErrors, keepalive_is_in_whole_seconds) {
  EXPECT_EQ(
      problems_of(listener_with("tcp: {keepalive: {idle: 1500ms}}")),
      Lines{"2:25+6 error: tcp.keepalive.idle: '1500ms' is not in whole seconds, and the kernel "
            "counts in those"});
}

TEST(ValueErrors, microseconds_are_for_settings_that_are_that_short) {
  EXPECT_EQ(problems_of(cluster_with("connect_timeout: 500us")),
            Lines{"2:18+5 error: connect_timeout: '500us' is finer than this setting goes: 1ms to "
                  "10m"});
}

TEST(ValueErrors, booleans_are_true_and_false_only) {
  for (const std::string_view text : {"yes", "no", "on", "off", "True", "1", "y"}) {
    EXPECT_EQ(problems_of(listener_with(fmt::format("tcp: {{nodelay: {}}}", text))),
              Lines{fmt::format("2:16+{} error: tcp.nodelay: expected true or false, not '{}'",
                                text.size(), text)});
  }
}

TEST(ValueErrors, numbers_are_decimal_only) {
  EXPECT_EQ(
      problems_of(listener_with("backlog: 010")),
      Lines{"2:10+3 error: backlog: '010' is not a decimal number: leave the leading zero out"});
  for (const std::string_view text : {"0x10", "1_000", "+5", "-5", "1e3", "5.0", "five", "0o17"}) {
    EXPECT_EQ(
        problems_of(listener_with(fmt::format("backlog: {}", text))),
        Lines{fmt::format("2:10+{} error: backlog: expected a whole number, 1 to 1048576, not '{}'",
                          text.size(), text)});
  }
}

TEST(ValueErrors, numbers_have_bounds) {
  EXPECT_EQ(problems_of(file_with("workers: 0")),
            Lines{"2:10+1 error: workers: '0' is out of range: 1 to 1024"});
  EXPECT_EQ(problems_of(file_with("workers: 99999999999999999999")),
            Lines{"2:10+20 error: workers: '99999999999999999999' is out of range: 1 to 1024"});
  EXPECT_EQ(
      problems_of(file_with("workers: many")),
      Lines{"2:10+4 error: workers: expected a whole number, 1 to 1024, or auto, not 'many'"});
}

TEST(ValueErrors, balance_has_bounds) {
  EXPECT_EQ(problems_of(cluster_with("balance: {policy: maglev, max_load: 100}")),
            Lines{"2:37+3 error: balance.max_load: '100' is out of range: 101 to 10000"});
  EXPECT_EQ(problems_of(cluster_with("balance: {policy: random, choices: 0}")),
            Lines{"2:36+1 error: balance.choices: '0' is out of range: 1 to 32"});
  EXPECT_EQ(problems_of(cluster_with("balance: {policy: maglev, prefix_v4: 33}")),
            Lines{"2:38+2 error: balance.prefix_v4: '33' is out of range: 0 to 32"});
  EXPECT_EQ(problems_of(cluster_with("balance: {policy: maglev, prefix_v6: 129}")),
            Lines{"2:38+3 error: balance.prefix_v6: '129' is out of range: 0 to 128"});
  EXPECT_EQ(problems_of(cluster_with("balance: {overprovisioning: 99}")),
            Lines{"2:29+2 error: balance.overprovisioning: '99' is out of range: 100 to 1000"});
  EXPECT_EQ(problems_of(cluster_with("balance: maglef")),
            Lines{"2:10+6 error: balance: expected round_robin, least_connections, random, "
                  "source_hash, maglev or first, not 'maglef'; did you mean 'maglev'?"});
}

TEST(ValueErrors, percentages_are_plain_numbers) {
  EXPECT_EQ(problems_of(cluster_with("panic_threshold: 50%")),
            Lines{"2:18+3 error: panic_threshold: write '50%' without the %"});
  EXPECT_EQ(problems_of(cluster_with("panic_threshold: 100.1")),
            Lines{"2:18+5 error: panic_threshold: '100.1' is out of range: 0 to 100"});
  for (const std::string_view text : {".nan", ".inf", "-1", "1e1", "010"}) {
    EXPECT_EQ(
        problems_of(cluster_with(fmt::format("panic_threshold: {}", text))),
        Lines{fmt::format("2:18+{} error: panic_threshold: expected a number, 0 to 100, not '{}'",
                          text.size(), text)});
  }
}

TEST(ValueErrors, choices_suggest_the_nearest) {
  EXPECT_EQ(problems_of(listener_with("on_unavailable: rest")),
            Lines{"2:17+4 error: on_unavailable: expected reset or close, not 'rest'; did you mean "
                  "'reset'?"});
  EXPECT_EQ(problems_of(file_with("splice: true")),
            Lines{"2:9+4 error: splice: expected auto or off, not 'true'"});
}

TEST(ValueErrors, wrong_shapes_say_what_was_expected) {
  EXPECT_EQ(problems_of(file_with("log: info")),
            Lines{"2:6+4 error: log: expected a map, not 'info'"});
  EXPECT_EQ(
      problems_of(file_with("workers: [1]")),
      Lines{"2:10+1 error: workers: expected a whole number, 1 to 1024, or auto, not a list"});
  EXPECT_EQ(
      problems_of(file_with("workers:")),
      Lines{"2:1+7 error: workers: expected a whole number, 1 to 1024, or auto, not nothing"});
  EXPECT_EQ(problems_of(cluster_with("circuit_breaker: yes")),
            Lines{"2:18+3 error: circuit_breaker: expected a map, on or off, not 'yes'"});
  EXPECT_EQ(problems_of("listeners: {a: b}\nclusters: web\n"),
            (Lines{"1:12+1 error: listeners: expected a list of listeners, not a map",
                   "1:12+1 warning: there are no listeners: nobody can connect",
                   "2:11+3 error: clusters: expected a list of clusters, not 'web'"}));
  EXPECT_EQ(problems_of("clusters: [web]\nlisteners: []\n"),
            (Lines{"1:12+3 error: clusters: expected a cluster (a map), not 'web'",
                   "2:12+1 warning: there are no listeners: nobody can connect"}));
}

TEST(ValueErrors, addresses_say_what_to_write_instead) {
  const auto problems = [](std::string_view address) {
    return problems_of(
        fmt::format("listeners: [{{name: web, cluster: web, address:\n{}}}]\n"
                    "clusters: [{{name: web, backends: [10.0.0.1:80]}}]\n",
                    address));
  };
  EXPECT_EQ(
      problems("localhost:80"),
      Lines{"2:1+12 error: address: 'localhost:80' is a host name; here an IP address is needed, "
            "as in 127.0.0.1:80"});
  EXPECT_EQ(problems("::1:80"),
            Lines{"2:1+6 error: address: an IPv6 address needs brackets and quotes: \"[::1]:80\""});
  EXPECT_EQ(problems("\"*:80\""),
            Lines{"2:1+6 error: address: '*' is not an address: write 0.0.0.0:80 or \"[::]:80\""});
  EXPECT_EQ(problems("80"), Lines{"2:1+2 error: address: '80' has no port: write host:port"});
  EXPECT_EQ(problems("10.0.0.1:99999").size(), 1U);
  EXPECT_EQ(problems("[]"), Lines{"2:1+1 error: address: the list is empty"});
  EXPECT_EQ(problems("[[10.0.0.1:80]]").size(), 1U);
  EXPECT_EQ(problems("[{a: b}]").size(), 1U);
}

TEST(ValueErrors, nobody_connects_to_port_0) {
  EXPECT_EQ(problems_of("clusters: [{name: web, backends: [10.0.0.1:0]}]\nlisteners: [{name: web, "
                        "address: 127.0.0.1:0, cluster: web}]"),
            Lines{"1:35+10 error: address: '10.0.0.1:0': nobody can connect to port 0"});
}

TEST(ValueErrors, source_address_is_an_ip_address) {
  EXPECT_EQ(
      problems_of(cluster_with("source_address: host.example")),
      Lines{"2:17+12 error: source_address: expected an IP address as in 10.0.0.1 or \"fd00::1\", "
            "not 'host.example'"});
  EXPECT_EQ(problems_of(cluster_with("source_address: \"fd00::1\"")), Lines{});
}

TEST(ValueErrors, names_have_an_alphabet) {
  EXPECT_EQ(problems_of("clusters: [{name: \"a b\", backends: [10.0.0.1:80]}]\nlisteners: [{name: "
                        "web, address: 127.0.0.1:1, cluster: web}]"),
            Lines{"1:19+5 error: name: a name is made of letters, digits and . _ - : / @ [ ], not "
                  "'a b'"});
}

TEST(ValueErrors, hex_is_pairs_of_digits) {
  EXPECT_EQ(
      problems_of(cluster_with("health_check: {expect: {hex: 50 4}}")),
      Lines{"2:30+4 error: health_check.expect: expected pairs of hexadecimal digits, not '4'"});
  EXPECT_EQ(problems_of(cluster_with("health_check: {expect: {hex: 0x50}}")).size(), 1U);
  EXPECT_EQ(problems_of(cluster_with("health_check: {expect: {text: PONG}}")).size(), 1U);
}

TEST(ValueErrors, file_modes_are_octal) {
  EXPECT_EQ(problems_of(listener_with("unix: {mode: \"0888\"}")),
            Lines{"2:14+6 error: unix.mode: expected octal digits as in \"0660\", not '0888'"});
  EXPECT_EQ(problems_of(listener_with("unix: {mode: 0640}")), Lines{});
}

TEST(ValueErrors, an_empty_text_is_not_a_path) {
  EXPECT_EQ(problems_of(file_with("log: {file: \"\"}")),
            Lines{"2:13+2 error: log.file: expected a text, not nothing"});
}

TEST(ValueErrors, an_admin_side_that_others_can_reach_needs_a_token) {
  for (const std::string_view address : {"127.0.0.1:9", "\"[::1]:9\"", "unix:/run/a", "unix:@a"}) {
    EXPECT_EQ(problems_of(file_with(fmt::format("admin: {{address: {}}}", address))), Lines{});
  }
  EXPECT_EQ(problems_of(file_with("admin: {address: 0.0.0.0:9}")),
            Lines{"2:18+9 error: admin.address 0.0.0.0:9 can be reached from other hosts: add "
                  "admin.token_file, or listen on 127.0.0.1 or a unix socket"});
  EXPECT_EQ(problems_of(file_with("admin: {address: \"[::]:9\"}")).size(), 1U);
  EXPECT_EQ(problems_of(file_with("admin: {address: 0.0.0.0:9, token_file: /t}")), Lines{});
}

TEST(ValueErrors, the_admin_side_does_not_share_a_listeners_address) {
  EXPECT_EQ(problems_of(file_with("admin: {address: 0.0.0.0:80, token_file: /t}")),
            Lines{"3:34+10 error: 0.0.0.0:80 is bound already on line 2"});
  EXPECT_EQ(problems_of(file_with("admin: {token_file: /t}")),
            Lines{"2:21+2 warning: admin.token_file does nothing without admin.address"});
}

}  // namespace
}  // namespace sluice::test
