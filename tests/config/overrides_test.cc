// `--set PATH=VALUE`.
#include <gtest/gtest.h>

#include "support.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kFile = R"(listeners:
  - {name: web, address: 0.0.0.0:80, cluster: web}
  - {name: web.tls, address: 0.0.0.0:443, cluster: web}
clusters:
  - name: web
    backends: [10.0.0.1:80, {address: 10.0.0.2:80}, {address: 10.0.0.3:80, name: three}]
    health_check: &probe {interval: 5s}
  - {name: db, backends: [10.0.0.4:80], health_check: *probe, circuit_breaker: off}
)";

Config with(const std::vector<Override>& overrides) {
  ReadResult result = read(kFile, {{"MS", "70ms"}}, overrides);
  EXPECT_TRUE(result.config) << render_problems("file", kFile, result.problems);
  return result.config.value_or(Config{});
}

Lines problems_with(const Override& given) {
  Lines errors;
  for (std::string& line : problems_of(kFile, {}, {given})) {
    if (line.find("warning: no listener uses") == std::string::npos)
      errors.push_back(std::move(line));
  }
  return errors;
}

TEST(Overrides, replace_and_add_settings) {
  EXPECT_EQ(with({{"workers", "7"}}).workers, 7U);
  EXPECT_EQ(with({{"log.level", "debug"}}).log.level, LogLevel::debug);
  EXPECT_EQ(with({{"clusters.web.connect_timeout", "500ms"}}).clusters[0].settings.connect_timeout,
            500ms);
  EXPECT_EQ(with({{"clusters.web.health_check.timeout", "20ms"}}).clusters[0].health_check->timeout,
            20ms);
}

TEST(Overrides, later_ones_win) {
  EXPECT_EQ(with({{"workers", "7"}, {"workers", "8"}}).workers, 8U);
}

TEST(Overrides, members_of_lists_go_by_name_address_or_index) {
  EXPECT_EQ(with({{"clusters.1.connect_attempts", "9"}}).clusters[1].settings.connect_attempts, 9U);
  EXPECT_EQ(with({{"clusters.web.backends.three.weight", "9"}}).clusters[0].backends[2].weight, 9U);
  EXPECT_EQ(
      with({{"clusters.web.backends.10.0.0.2:80.weight", "9"}}).clusters[0].backends[1].weight, 9U);
  EXPECT_EQ(with({{"clusters.web.backends.0", "10.9.9.9:80"}}).clusters[0].backends[0].name,
            "10.9.9.9:80");
}

TEST(Overrides, longest_name_that_fits_is_meant) {
  const Config config = with({{"listeners.web.tls.backlog", "9"}});
  EXPECT_EQ(config.listeners[0].backlog, 4096U);
  EXPECT_EQ(config.listeners[1].backlog, 9U);
}

TEST(Overrides, lists_and_maps_are_given_as_yaml) {
  EXPECT_EQ(with({{"clusters.web.backends", "[10.1.1.1:1, {address: 10.1.1.2:1, weight: 4}]"}})
                .clusters[0]
                .backends[1]
                .weight,
            4U);
  EXPECT_FALSE(with({{"clusters.web.health_check", "off"}}).clusters[0].health_check);
}

TEST(Overrides, ipv6_address_needs_no_quotes) {
  EXPECT_EQ(with({{"listeners.web.address", "[::1]:80"}}).listeners[0].addresses,
            std::vector{*Address::parse("[::1]:80")});
}

TEST(Overrides, touch_no_other_place_an_alias_shares) {
  const Config config = with({{"clusters.db.health_check.interval", "7s"}});
  EXPECT_EQ(config.clusters[0].health_check->interval, 5s);
  EXPECT_EQ(config.clusters[1].health_check->interval, 7s);
}

TEST(Overrides, variables_are_replaced_in_them_too) {
  EXPECT_EQ(with({{"clusters.web.connect_timeout", "${MS}"}}).clusters[0].settings.connect_timeout,
            70ms);
}

TEST(Overrides, problems_name_the_override) {
  EXPECT_EQ(problems_with({"clusters.web.conect_timeout", "5s"}),
            Lines{"error: --set clusters.web.conect_timeout=5s: unknown setting 'conect_timeout' "
                  "in cluster "
                  "'web'; did you mean 'connect_timeout'?"});
  EXPECT_EQ(problems_with({"clusters.wbe.connect_timeout", "5s"}),
            Lines{"error: --set clusters.wbe.connect_timeout=5s: nothing is called 'wbe' there; "
                  "did you mean "
                  "'web'?"});
  EXPECT_EQ(problems_with({"workers", "5s"}).size(), 1U);
  EXPECT_EQ(problems_with({"workers", "[5"}),
            Lines{"error: --set workers=[5: this '[' is never closed"});
  EXPECT_EQ(problems_with({"", "5"}),
            Lines{"error: --set =5: no setting is named: write PATH=VALUE"});
  EXPECT_EQ(
      problems_with({"log..level", "info"}),
      Lines{"error: --set log..level=info: a path is made of settings with dots between them"});
  EXPECT_EQ(problems_with({"clusters.db.circuit_breaker.jitter", "5"}),
            Lines{"error: --set clusters.db.circuit_breaker.jitter=5: 'off' is what the file has "
                  "there, and "
                  "'jitter' would be inside it; give it as a map: {...}"});
}

TEST(Overrides, hostile_ones_are_refused) {
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "a.";
  EXPECT_FALSE(problems_with({deep + "a", "1"}).empty());
  EXPECT_EQ(problems_with({"workers", "\xFF"}).size(), 1U);
  EXPECT_EQ(problems_with({"workers", std::string(100'000, '[')}).size(), 1U);
}

}  // namespace
}  // namespace sluice::test
