// The settings of probes: dialogues and HTTP requests, and which belong to which.
#include <gtest/gtest.h>

#include "support.h"

namespace sluice::test {
namespace {

HealthCheckConfig check_of(std::string_view settings) {
  const Config config = config_of(cluster_with(fmt::format("health_check: {}", settings)));
  EXPECT_TRUE(config.clusters.at(0).health_check);
  return config.clusters.at(0).health_check.value_or(HealthCheckConfig{});
}

Lines complaints(std::string_view settings) {
  return problems_of(cluster_with(fmt::format("health_check:\n {}", settings)));
}

TEST(HealthCheckSettings, steps_are_read_in_their_order) {
  const HealthCheckConfig check =
      check_of(R"({steps: [{expect: "220 "}, {send: {hex: "51 0a"}}, {expect: "221"}]})");
  ASSERT_EQ(check.steps.size(), 3U);
  EXPECT_EQ(check.steps[0].expect, "220 ");
  EXPECT_EQ(check.steps[1].send, "Q\n");
  EXPECT_EQ(check.steps[2].expect, "221");
}

TEST(HealthCheckSettings, steps_beside_send_or_expect_are_an_error) {
  EXPECT_EQ(complaints("{send: a, expect: b, steps: [{expect: c}]}"),
            (Lines{"3:9+1 error: health_check.steps is there too: make this one of the steps",
                   "3:20+1 error: health_check.steps is there too: make this one of the steps"}));
}

TEST(HealthCheckSettings, a_step_does_one_thing) {
  const std::string message =
      "error: a step of health_check has one of send and expect, and it is not empty";
  EXPECT_EQ(complaints("{steps: [{send: a, expect: b}, {expect: \"\"}, {}, {expect: c}]}"),
            (Lines{"3:11+1 " + message, "3:33+1 " + message, "3:47+1 " + message}));
  EXPECT_EQ(complaints("{steps: [PING]}"),
            Lines{"3:11+4 error: health_check.steps: expected a step (a map), not 'PING'"});
  EXPECT_EQ(complaints("{steps: [{expect: b, expects: c}]}"),
            Lines{"3:23+7 error: unknown setting 'expects' in this step; did you mean 'expect'?"});
}

TEST(HealthCheckSettings, a_dialogue_that_ends_with_a_send_is_warned_of) {
  EXPECT_EQ(complaints("{steps: [{expect: a}, {send: b}]}"),
            Lines{"3:10+1 warning: health_check.steps does not end with an expect: whatever is "
                  "answered to its last step, it passes"});
}

TEST(HealthCheckSettings, steps_are_few) {
  std::string steps = "{expect: a}";
  for (int i = 1; i < 32; ++i) steps += ", {expect: a}";
  EXPECT_EQ(complaints(fmt::format("{{steps: [{}]}}", steps)), Lines{});
  EXPECT_EQ(complaints(fmt::format("{{steps: [{}, {{expect: a}}]}}", steps)),
            Lines{"3:10+1 error: health_check.steps: more than 32"});
}

TEST(HealthCheckSettings, http_is_read) {
  const HealthCheckConfig check = check_of(
      "{type: http, method: HEAD, path: \"/ready?full=1\", host: web.example, status: [204, "
      "300-399]}");
  EXPECT_EQ(check.type, ProbeType::http);
  EXPECT_EQ(check.http.method, HttpMethod::head);
  EXPECT_EQ(check.http.path, "/ready?full=1");
  EXPECT_EQ(check.http.host, "web.example");
  EXPECT_EQ(check.http.status, (std::vector<StatusRange>{{204, 204}, {300, 399}}));
}

TEST(HealthCheckSettings, http_has_the_contract_s_defaults) {
  const HealthCheckConfig check = check_of("{type: http}");
  EXPECT_EQ(check.http.method, HttpMethod::get);
  EXPECT_EQ(check.http.path, "/");
  EXPECT_EQ(check.http.host, "");
  EXPECT_EQ(check.http.status, (std::vector<StatusRange>{{200, 399}}));
}

TEST(HealthCheckSettings, one_status_needs_no_list) {
  EXPECT_EQ(check_of("{type: http, status: 200}").http.status,
            (std::vector<StatusRange>{{200, 200}}));
  EXPECT_EQ(check_of("{type: http, status: 200-299}").http.status,
            (std::vector<StatusRange>{{200, 299}}));
}

TEST(HealthCheckSettings, wrong_statuses_are_errors) {
  EXPECT_EQ(complaints("{type: http, status: [99, 200-600, 399-200, ok, []]}"),
            (Lines{"3:24+2 error: health_check.status: '99' is out of range: 200 to 599",
                   "3:28+7 error: health_check.status: '600' is out of range: 200 to 599",
                   "3:37+7 error: health_check.status: '399-200' is empty: write 200-399",
                   "3:46+2 error: health_check.status: expected a whole number, 200 to 599, not "
                   "'ok'",
                   "3:50+1 error: health_check.status: expected an HTTP status or a range of them, "
                   "200 to 599; one or a list, not a list"}));
  EXPECT_EQ(complaints("{type: http, status: []}"),
            Lines{"3:23+1 error: health_check.status: the list is empty"});
}

TEST(HealthCheckSettings, http_settings_need_the_type) {
  for (const std::string_view setting : {"method: GET", "path: /", "host: a", "status: 200"}) {
    const std::string_view key = setting.substr(0, setting.find(':'));
    const Lines lines = complaints(fmt::format("{{{}}}", setting));
    ASSERT_EQ(lines.size(), 1U) << setting;
    EXPECT_TRUE(
        lines[0].ends_with(fmt::format("error: health_check.{} is for HTTP: add type: http", key)))
        << lines[0];
  }
}

TEST(HealthCheckSettings, a_dialogue_does_not_belong_to_http) {
  for (const std::string_view setting : {"send: a", "expect: a", "steps: [{expect: a}]"}) {
    const std::string_view key = setting.substr(0, setting.find(':'));
    const Lines lines = complaints(fmt::format("{{type: http, {}}}", setting));
    ASSERT_EQ(lines.size(), 1U) << setting;
    EXPECT_TRUE(lines[0].ends_with(fmt::format(
        "error: health_check.{} does not belong to type: http, which has method, path, host and "
        "status",
        key)))
        << lines[0];
  }
}

// Whoever writes the path must not be able to write headers, or a second request.
TEST(HealthCheckSettings, a_request_cannot_be_broken_out_of) {
  for (const std::string_view key : {"path", "host"}) {
    for (const std::string_view value :
         {R"("/a b")", R"("/a\r\nX: y")", R"("/\t")", R"("/\x7F")", R"("/\xE9")"}) {
      const Lines lines = complaints(fmt::format("{{type: http, {}: {}}}", key, value));
      ASSERT_EQ(lines.size(), 1U) << key << value;
      EXPECT_TRUE(
          lines[0].ends_with("has a character that a request cannot carry: write a blank "
                             "as %20, and so on"))
          << lines[0];
    }
  }
  EXPECT_EQ(complaints("{type: http, path: ready}"),
            Lines{"3:21+5 error: health_check.path begins with a slash, as in /ready"});
  EXPECT_EQ(complaints("{type: http, method: OPTIONS, path: \"*\"}"), Lines{});
}

}  // namespace
}  // namespace sluice::test
