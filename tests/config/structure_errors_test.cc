// Keys that are unknown, doubled, missing or early, and what only the whole file shows.
#include <gtest/gtest.h>

#include "support.h"

namespace sluice::test {
namespace {

TEST(StructureErrors, unknown_settings_suggest_the_nearest) {
  EXPECT_EQ(
      problems_of(cluster_with("health_check: {intervall: 5s}")),
      Lines{"2:16+9 error: unknown setting 'intervall' in health_check; did you mean 'interval'?"});
  EXPECT_EQ(problems_of(cluster_with("connect-timeout: 5s")),
            Lines{"2:1+15 error: unknown setting 'connect-timeout' in cluster 'web'; did you mean "
                  "'connect_timeout'?"});
  EXPECT_EQ(problems_of(file_with("wrokers: 5")),
            Lines{"2:1+7 error: unknown setting 'wrokers'; did you mean 'workers'?"});
  EXPECT_EQ(problems_of(file_with("\"strange thing\": 5")),
            Lines{"2:1+15 error: unknown setting 'strange thing'"});
}

TEST(StructureErrors, misplaced_settings_say_where_they_belong) {
  EXPECT_EQ(problems_of(listener_with("connect_timeout: 5s")),
            Lines{"2:1+15 error: unknown setting 'connect_timeout' in listener 'web'; there is "
                  "clusters[].connect_timeout"});
}

TEST(StructureErrors, dotted_keys_are_no_shortcut) {
  EXPECT_EQ(problems_of(file_with("log.level: debug")),
            Lines{"2:1+9 error: unknown setting 'log.level'"});
}

TEST(StructureErrors, settings_of_later_versions_say_so) {
  EXPECT_EQ(problems_of(file_with("drain_grace: 1s")),
            Lines{"2:1+11 error: 'drain_grace' is not in this version yet"});
  EXPECT_EQ(problems_of(cluster_with("proxy_protocol: v1")),
            Lines{"2:1+14 error: 'proxy_protocol' in cluster 'web' is not in this version yet"});
  EXPECT_EQ(problems_of(listener_with("tcp: {fast_open: 5}")),
            Lines{"2:7+9 error: 'fast_open' in tcp is not in this version yet"});
}

TEST(StructureErrors, duplicate_keys_are_found) {
  EXPECT_EQ(problems_of(file_with("workers: 1\nworkers: 2")),
            Lines{"3:1+7 error: 'workers' is given twice; first on line 2"});
  EXPECT_EQ(problems_of(cluster_with("health_check: {port: 1, port: 2, \"port\": 3}")),
            (Lines{"2:25+4 error: 'port' is given twice; first on line 2",
                   "2:34+6 error: 'port' is given twice; first on line 2"}));
}

TEST(StructureErrors, required_settings_are_missed) {
  EXPECT_EQ(problems_of("listeners:\n  - name: web\nclusters:\n  - backends: [10.0.0.1:80]\n"),
            (Lines{"2:5+4 error: listener 'web' has no 'address'",
                   "2:5+4 error: listener 'web' has no 'cluster'",
                   "4:5+8 error: this cluster has no 'name'"}));
}

TEST(StructureErrors, names_used_twice) {
  const std::string text = R"(listeners:
  - {name: web, address: 0.0.0.0:80, cluster: web}
  - {name: web, address: 0.0.0.0:81, cluster: web}
clusters:
  - {name: web, backends: [10.0.0.1:80, 10.0.0.1:80]}
  - {name: web, backends: [{name: a, address: 10.0.0.1:80}, {name: a, address: 10.0.0.2:80}]}
)";
  EXPECT_EQ(problems_of(text),
            (Lines{"3:12+3 error: a listener named 'web' is there already, on line 2",
                   "5:41+11 error: a backend named '10.0.0.1:80' is there already, on line 5",
                   "6:12+3 error: a cluster named 'web' is there already, on line 5",
                   "6:68+1 error: a backend named 'a' is there already, on line 6"}));
}

TEST(StructureErrors, listener_without_its_cluster) {
  EXPECT_EQ(problems_of("listeners: [{name: a, address: 0.0.0.0:80, cluster: wbe}]\n"
                        "clusters: [{name: web, backends: [10.0.0.1:80]}]\n"),
            (Lines{"1:53+3 error: there is no cluster named 'wbe'; did you mean 'web'?",
                   "2:19+3 warning: no listener uses cluster 'web'"}));
}

TEST(StructureErrors, same_address_bound_twice) {
  const std::string text = R"(listeners:
  - {name: a, address: [127.0.0.1:80, "[::1]:80", unix:/run/x], cluster: web}
  - name: b
    cluster: web
    address: ["[0::1]:80", 127.0.0.1:80, 127.0.0.1:81, unix:/run/x, 127.0.0.1:0, 127.0.0.1:0]
clusters: [{name: web, backends: [10.0.0.1:80]}]
)";
  EXPECT_EQ(problems_of(text), (Lines{"5:15+11 error: [::1]:80 is bound already on line 2",
                                      "5:28+12 error: 127.0.0.1:80 is bound already on line 2",
                                      "5:56+11 error: unix:/run/x is bound already on line 2"}));
}

TEST(StructureErrors, every_error_is_reported_at_once) {
  const ReadResult result = read(R"(workers: x
log: {level: loud}
listeners: [{name: web, address: 80, cluster: web, idle_timeout: 5}]
clusters: [{name: web, backends: [10.0.0.1], balanse: first}]
)");
  EXPECT_FALSE(result.config);
  EXPECT_EQ(result.problems.size(), 6U);
}

TEST(StructureErrors, more_than_a_hundred_are_counted) {
  std::string text;
  for (int i = 0; i < 150; ++i) text += fmt::format("key{}: 1\n", i);
  const ReadResult result = read(text);
  ASSERT_EQ(result.problems.size(), 101U);
  // 50 unknown settings and the warning that there are no listeners.
  EXPECT_EQ(describe(result.problems.back()), "error: 51 more problems are left out");
}

TEST(StructureWarnings, wildcard_overlaps_another_address) {
  EXPECT_EQ(
      problems_of("listeners: [{name: a, address: [0.0.0.0:80, 127.0.0.1:80, \"[::1]:80\"], "
                  "cluster: web}]\nclusters: [{name: web, backends: [10.0.0.1:80]}]\n"),
      Lines{"1:45+12 warning: 127.0.0.1:80 and 0.0.0.0:80 on line 1 overlap: the more exact one "
            "gets its clients"});
}

TEST(StructureWarnings, backends_that_get_no_clients) {
  EXPECT_EQ(problems_of("listeners: [{name: a, address: unix:@a, cluster: a}, {name: b, address: "
                        "unix:@b, cluster: b}]\nclusters:\n- {name: a, backends: []}\n"
                        "- {name: b, backends: [{address: 10.0.0.1:80, weight: 0}]}\n"),
            (Lines{"3:23+1 warning: cluster 'a' has no backends: its clients are refused",
                   "4:23+1 warning: every backend of cluster 'b' has weight 0: its clients are "
                   "refused"}));
}

TEST(StructureWarnings, timeouts_longer_than_what_they_belong_to) {
  EXPECT_EQ(
      problems_of(cluster_with("health_check: {timeout: 2s, interval: 1s,\n"
                               "unhealthy_interval: 500ms}, connect_timeout: 10s,\n"
                               "circuit_breaker: {recovery_timeout: 10m}")),
      (Lines{"2:25+2 warning: health_check.timeout (2s) is longer than interval (1s)",
             "2:25+2 warning: health_check.timeout (2s) is longer than unhealthy_interval (500ms)",
             "3:46+3 warning: connect_timeout (10s) is longer than connect_deadline (6s), which "
             "counts",
             "4:37+3 warning: circuit_breaker.recovery_timeout (10m) is longer than "
             "max_recovery_timeout (5m), which counts"}));
}

TEST(StructureWarnings, settings_without_effect) {
  EXPECT_EQ(problems_of(cluster_with("health_check: off, circuit_breaker: {early_trial: true}")),
            Lines{"2:51+4 warning: circuit_breaker.early_trial needs health_check, which is off"});
  EXPECT_EQ(
      problems_of(cluster_with("health_check: {send: hello}")),
      Lines{"2:22+5 warning: health_check.send without expect: whatever the answer is, it passes"});
}

TEST(StructureWarnings, limits_without_effect) {
  EXPECT_EQ(problems_of(cluster_with("limits: {max_pending: 5}")),
            Lines{"2:23+1 warning: limits.max_pending without max_connections or "
                  "max_connections_per_backend: nobody ever waits"});
  for (const std::string_view fine :
       {"limits: {max_pending: 0}", "limits: {max_pending: 5, max_connections: 1}",
        "limits: {max_pending: 5, max_connections_per_backend: 1}", "limits: {}"}) {
    EXPECT_EQ(problems_of(cluster_with(fine)), Lines{}) << fine;
  }
  EXPECT_EQ(
      problems_of(cluster_with("limits: {max_connections: 5, max_connections_per_backend: 6}")),
      Lines{"2:59+1 warning: limits.max_connections_per_backend (6) is more than "
            "max_connections (5), which counts"});
}

TEST(StructureWarnings, recovery_that_nobody_sees) {
  EXPECT_EQ(problems_of(cluster_with("health_check: off, close_on_unhealthy: on")),
            Lines{"2:40+2 warning: close_on_unhealthy needs health_check, which is off"});
  EXPECT_EQ(problems_of(cluster_with("health_check: off, close_on_unhealthy: {over: 1s}")).size(),
            1U);
  EXPECT_EQ(problems_of(cluster_with("health_check: off, circuit_breaker: off, slow_start: 1s")),
            Lines{"2:54+2 warning: slow_start needs health_check or circuit_breaker, which are "
                  "off: nobody is seen to recover"});
  for (const std::string_view fine :
       {"close_on_unhealthy: on, slow_start: 1s", "health_check: off, close_on_unhealthy: off",
        "health_check: off, slow_start: 1s", "circuit_breaker: off, slow_start: 1s",
        "health_check: off, circuit_breaker: off, slow_start: off"}) {
    EXPECT_EQ(problems_of(cluster_with(fine)), Lines{}) << fine;
  }
}

TEST(StructureWarnings, do_not_keep_the_configuration_back) {
  EXPECT_TRUE(read(cluster_with("health_check: {send: hello}")).config);
}

TEST(StructureErrors, unix_backend_has_no_probe_port) {
  EXPECT_EQ(
      problems_of("listeners: [{name: a, address: unix:@a, cluster: a}]\nclusters:\n- {name: a, "
                  "backends: [{address: unix:/x, health_check_port: 5}]}\n"),
      Lines{"3:62+1 error: health_check_port: a unix socket has no ports"});
}

TEST(StructureWarnings, settings_of_another_policy_are_warned_of) {
  EXPECT_EQ(problems_of(cluster_with("balance: {policy: maglev, choices: 3}")),
            Lines{"2:36+1 warning: balance.choices does nothing with policy maglev; it is for "
                  "random"});
  EXPECT_EQ(problems_of(cluster_with("balance: {prefix_v4: 24, max_load: 125}")),
            (Lines{"2:22+2 warning: balance.prefix_v4 does nothing with policy round_robin; it is "
                   "for source_hash and maglev",
                   "2:36+3 warning: balance.max_load does nothing with policy round_robin; it is "
                   "for source_hash and maglev"}));
  for (const std::string_view fitting :
       {"balance: {policy: random, choices: 3}", "balance: {policy: first, overprovisioning: 140}",
        "balance: {policy: source_hash, prefix_v4: 24, prefix_v6: 64, max_load: 125}",
        "balance: {policy: maglev, max_load: off}"}) {
    EXPECT_EQ(problems_of(cluster_with(fitting)), Lines{}) << fitting;
  }
}

// A cluster of these backends.
std::string cluster_of(std::string_view backends, std::string_view settings) {
  return fmt::format(
      "listeners: [{{name: web, address: 0.0.0.0:80, cluster: web}}]\n"
      "clusters: [{{name: web, backends: [{}],\n{}}}]\n",
      backends, settings);
}

TEST(StructureWarnings, first_that_never_comes_to_the_second) {
  constexpr std::string_view kTwo = "10.0.0.1:80, 10.0.0.2:80";
  const std::string message =
      "warning: policy first without limits.max_connections_per_backend: the first backend that is "
      "available gets every client";
  EXPECT_EQ(problems_of(cluster_of(kTwo, "balance: first")), Lines{"3:10+5 " + message});
  EXPECT_EQ(problems_of(cluster_of(kTwo, "balance: {policy: first}")), Lines{"3:19+5 " + message});
  EXPECT_EQ(problems_of(cluster_of("a.example:80", "balance: first")), Lines{"3:10+5 " + message});
  EXPECT_EQ(problems_of(cluster_of("10.0.0.1:80", "balance: first")), Lines{});
  EXPECT_EQ(problems_of(cluster_of(kTwo,
                                   "balance: first, limits: {max_connections_per_backend: "
                                   "5}")),
            Lines{});
}

TEST(StructureWarnings, overprovisioning_of_one_priority) {
  constexpr std::string_view kOwn = "balance: {overprovisioning: 200}";
  EXPECT_EQ(problems_of(cluster_of("10.0.0.1:80, 10.0.0.2:80", kOwn)),
            Lines{"3:29+3 warning: balance.overprovisioning is about several priorities, and there "
                  "is one"});
  EXPECT_EQ(problems_of(cluster_of("10.0.0.1:80, {address: 10.0.0.2:80, priority: 1}", kOwn)),
            Lines{});
  EXPECT_EQ(problems_of(cluster_with("balance: {overprovisioning: 140}")), Lines{}) << "as usual";
}

TEST(StructureWarnings, retry_budget_without_retries) {
  EXPECT_EQ(problems_of(cluster_with("retry_budget: {percent: 5}, connect_attempts: 1")),
            Lines{"2:15+1 warning: retry_budget does nothing with connect_attempts 1: nobody "
                  "retries"});
  for (const std::string_view fitting :
       {"retry_budget: off, connect_attempts: 1", "retry_budget: {percent: 5}, connect_attempts: 2",
        "connect_attempts: 1"}) {
    EXPECT_EQ(problems_of(cluster_with(fitting)), Lines{}) << fitting;
  }
}

TEST(StructureWarnings, time_in_a_queue_that_is_not_there) {
  EXPECT_EQ(problems_of(cluster_with("limits: {max_connections: 5, queue_timeout: 1s}")),
            Lines{"2:45+2 warning: limits.queue_timeout without max_pending: nobody waits"});
  for (const std::string_view fitting :
       {"limits: {max_connections: 5, queue_timeout: 5s}",
        "limits: {max_connections: 5, max_pending: 1, queue_timeout: 1s}"}) {
    EXPECT_EQ(problems_of(cluster_with(fitting)), Lines{}) << fitting;
  }
}

TEST(StructureWarnings, age_of_a_state_that_is_not_kept) {
  EXPECT_EQ(problems_of(file_with("state_max_age: 1m")),
            Lines{"2:16+2 warning: state_max_age without state_file: no state is kept"});
  EXPECT_EQ(problems_of(file_with("state_max_age: 5m")), Lines{}) << "as usual";
  EXPECT_EQ(problems_of(file_with("state_max_age: 1m\nstate_file: /s")), Lines{});
}

TEST(StructureErrors, state_file_that_is_another_file_too) {
  EXPECT_EQ(
      problems_of(file_with("state_file: /var/a\naccess_log: {file: /var/a}")),
      Lines{"2:13+6 error: state_file: /var/a is the access log too, and would be replaced by "
            "it"});
  EXPECT_EQ(
      problems_of(file_with("state_file: /var/a\nlog: {file: /var/x/.././a}")),
      Lines{"2:13+6 error: state_file: /var/a is the process's log too, and would be replaced "
            "by it"});
  EXPECT_EQ(
      problems_of("state_file: /run/s\n"
                  "listeners: [{name: web, address: unix:/run/s, cluster: web}]\n"
                  "clusters: [{name: web, backends: [unix:/run//s]}]\n"),
      (Lines{"1:13+6 error: state_file: /run/s is the socket of listener 'web' too, and would "
             "be replaced by it",
             "1:13+6 error: state_file: /run/s is the socket of a backend of cluster 'web' "
             "too, and would be replaced by it"}));
}

TEST(StructureErrors, state_file_beside_other_files_is_none) {
  for (const std::string_view fitting :
       {"state_file: stderr\naccess_log: {file: stderr}", "state_file: /a/b\nlog: {file: /a/c}",
        "state_file: s\nlog: {file: /s}"}) {
    EXPECT_EQ(problems_of(file_with(fitting)), Lines{}) << fitting;
  }
  EXPECT_EQ(problems_of("state_file: s\n"
                        "listeners: [{name: web, address: unix:@s, cluster: web}]\n"
                        "clusters: [{name: web, backends: [10.0.0.1:80]}]\n"),
            Lines{});
}

}  // namespace
}  // namespace sluice::test
