#include "sluice/control/probe_script.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

std::string request_to(std::string_view target, const HttpProbeConfig& http = {}) {
  HealthCheckConfig config;
  config.type = ProbeType::http;
  config.http = http;
  const ProbeScript script = make_probe_script(config, *Address::parse(target));
  EXPECT_EQ(script.size(), 2U);
  EXPECT_EQ(std::get<ExpectStatusStep>(script.at(1)).ranges, http.status);
  return std::get<SendStep>(script.at(0)).bytes;
}

TEST(ProbeScript, without_bytes_there_is_nothing_to_do) {
  EXPECT_TRUE(make_probe_script({}, *Address::parse("10.0.0.1:80")).empty());
}

TEST(ProbeScript, send_and_expect_are_the_dialogue_of_two_steps) {
  HealthCheckConfig pair;
  pair.send = "PING";
  pair.expect = "PONG";
  const ProbeScript script = make_probe_script(pair, *Address::parse("10.0.0.1:80"));
  ASSERT_EQ(script.size(), 2U);
  EXPECT_EQ(std::get<SendStep>(script[0]).bytes, "PING");
  EXPECT_EQ(std::get<ExpectStep>(script[1]).bytes, "PONG");
}

TEST(ProbeScript, http_asks_for_the_path_and_for_the_end_of_the_connection) {
  EXPECT_EQ(request_to("10.0.0.1:80"),
            "GET / HTTP/1.1\r\nHost: 10.0.0.1:80\r\nUser-Agent: sluice-health-check\r\n"
            "Accept: */*\r\nConnection: close\r\n\r\n");
  HttpProbeConfig http;
  http.method = HttpMethod::head;
  http.path = "/ready?a=b";
  http.host = "web.example";
  EXPECT_EQ(request_to("10.0.0.1:80", http),
            "HEAD /ready?a=b HTTP/1.1\r\nHost: web.example\r\nUser-Agent: sluice-health-check\r\n"
            "Accept: */*\r\nConnection: close\r\n\r\n");
}

TEST(ProbeScript, a_post_says_that_it_has_no_body) {
  HttpProbeConfig http;
  http.method = HttpMethod::post;
  EXPECT_TRUE(request_to("10.0.0.1:80", http).ends_with("\r\nContent-Length: 0\r\n\r\n"));
}

TEST(ProbeScript, host_is_the_address_that_is_probed) {
  const auto host_of = [](std::string_view target) {
    const std::string request = request_to(target);
    const size_t begin = request.find("Host: ") + 6;
    return request.substr(begin, request.find('\r', begin) - begin);
  };
  EXPECT_EQ(host_of("[fd00::1]:8080"), "[fd00::1]:8080");
  EXPECT_EQ(host_of("[fe80::1%2]:80"), "[fe80::1]:80");
  EXPECT_EQ(host_of("unix:/run/x.sock"), "localhost");
}

}  // namespace
}  // namespace sluice
