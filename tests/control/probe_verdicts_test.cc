// What a server answers to a probe, and what the verdict is then.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "health_checker_rig.h"

namespace sluice {
namespace {

class ProbeVerdictsTest : public HealthCheckerTest {};

TEST_F(ProbeVerdictsTest, answer_that_matches_passes_and_the_question_arrives_unchanged) {
  const UniqueFd server = listen_on(loopback());
  HealthCheckConfig check = quick();
  check.send = "PING\r\n";
  check.expect = "+PONG";
  watch({address_of(server)}, check);
  std::string received;
  ASSERT_TRUE(serve_once(server, "+PONG\r\n", &received));
  EXPECT_TRUE(becomes(Health::healthy));
  EXPECT_EQ(received, "PING\r\n");
}

TEST_F(ProbeVerdictsTest, answer_in_two_pieces_passes) {
  const UniqueFd server = listen_on(loopback());
  HealthCheckConfig check = quick();
  check.expect = "ready";
  check.timeout = std::chrono::seconds(10);
  watch({address_of(server)}, check);
  ASSERT_TRUE(serve_once(server, "not yet, but rea"));
  run_once(loop_);
  EXPECT_EQ(backend().health(), Health::unknown);
  send_all(clients_.back(), "dy");
  EXPECT_TRUE(becomes(Health::healthy));
}

TEST_F(ProbeVerdictsTest, answer_that_does_not_match_is_a_mismatch) {
  const UniqueFd server = listen_on(loopback());
  HealthCheckConfig check = quick();
  check.expect = "+PONG";
  watch({address_of(server)}, check);
  ASSERT_TRUE(serve_once(server, "-NOAUTH Authentication required.\r\n"));
  EXPECT_TRUE(becomes(Health::unhealthy));
  EXPECT_EQ(last_why(), "first probe failed: mismatch");
}

TEST_F(ProbeVerdictsTest, server_that_hangs_up_without_an_answer_is_closed) {
  const UniqueFd server = listen_on(loopback());
  HealthCheckConfig check = quick();
  check.expect = "+PONG";
  watch({address_of(server)}, check);
  ASSERT_TRUE(serve_once(server, ""));
  clients_.clear();
  EXPECT_TRUE(becomes(Health::unhealthy));
  EXPECT_EQ(last_why(), "first probe failed: closed");
}

TEST_F(ProbeVerdictsTest, server_that_says_nothing_times_out) {
  const UniqueFd server = listen_on(loopback());
  HealthCheckConfig check = quick();
  check.expect = "+PONG";
  watch({address_of(server)}, check);
  EXPECT_TRUE(becomes(Health::unhealthy));
  EXPECT_EQ(last_why(), "first probe failed: timeout");
}

TEST_F(ProbeVerdictsTest, dialogue_goes_step_by_step) {
  const UniqueFd server = listen_on(loopback());
  HealthCheckConfig check = quick();
  check.steps = {{"", "220"}, {"QUIT\r\n", ""}, {"", "221"}};
  check.timeout = std::chrono::seconds(20);
  watch({address_of(server)}, check);
  ASSERT_TRUE(serve_once(server, ""));
  run_once(loop_);
  std::string heard;
  EXPECT_EQ(receive_some(clients_.back(), heard), ReadEnd::nothing_yet)
      << "it waits for a greeting";
  send_all(clients_.back(), "220 ready\r\n");
  run_until(loop_, [&] {
    receive_some(clients_.back(), heard);
    return heard.size() >= 6;
  });
  EXPECT_EQ(heard, "QUIT\r\n");
  EXPECT_EQ(backend().health(), Health::unknown);
  send_all(clients_.back(), "221 bye\r\n");
  EXPECT_TRUE(becomes(Health::healthy));
}

TEST_F(ProbeVerdictsTest, server_that_hangs_up_in_mid_dialogue_is_closed) {
  const UniqueFd server = listen_on(loopback());
  HealthCheckConfig check = quick();
  check.steps = {{"", "220"}, {"", "250"}};
  watch({address_of(server)}, check);
  ASSERT_TRUE(serve_once(server, "220"));
  clients_.clear();
  EXPECT_TRUE(becomes(Health::unhealthy));
  EXPECT_EQ(last_why(), "first probe failed: closed");
}

// What one server answers to an HTTP probe, and the word for it. An empty one means that the
// connection stays as it is.
struct HttpCase {
  std::string_view answer;
  bool hangs_up;
  std::string_view why;
};

class HttpProbeTest : public HealthCheckerTest, public testing::WithParamInterface<HttpCase> {};

TEST_P(HttpProbeTest, verdict_is_the_contract_s_word) {
  const UniqueFd server = listen_on(loopback());
  HealthCheckConfig check = quick();
  check.type = ProbeType::http;
  watch({address_of(server)}, check);
  ASSERT_TRUE(serve_once(server, ""));
  std::string request;
  ASSERT_TRUE(run_until(loop_, [&] {
    receive_some(clients_.back(), request);
    return request.ends_with("\r\n\r\n");
  }));
  EXPECT_TRUE(request.starts_with("GET / HTTP/1.1\r\nHost: 127.0.0.1:")) << request;
  send_all(clients_.back(), GetParam().answer);
  if (GetParam().hangs_up) clients_.clear();
  ASSERT_TRUE(run_until(loop_, [&] { return backend().health() != Health::unknown; }));
  EXPECT_EQ(last_why(), GetParam().why);
}

INSTANTIATE_TEST_SUITE_P(
    Answers, HttpProbeTest,
    testing::Values(HttpCase{"HTTP/1.1 200 OK\r\n", false, "first probe passed"},
                    HttpCase{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 302 Found\r\n", false,
                             "first probe passed"},
                    HttpCase{"HTTP/1.1 503 Service Unavailable\r\n", false,
                             "first probe failed: mismatch"},
                    HttpCase{"SSH-2.0-OpenSSH_9.2", false, "first probe failed: mismatch"},
                    HttpCase{"HTTP/1.1 20", true, "first probe failed: mismatch"},
                    HttpCase{"HTTP/1.1 20", false, "first probe failed: mismatch"},
                    HttpCase{"", true, "first probe failed: closed"},
                    HttpCase{"", false, "first probe failed: timeout"}));

TEST_F(ProbeVerdictsTest, endless_wrong_answer_is_cut_off) {
  const UniqueFd server = listen_on(loopback());
  HealthCheckConfig check = quick();
  check.expect = "+PONG";
  check.timeout = std::chrono::minutes(10);
  watch({address_of(server)}, check);
  ASSERT_TRUE(serve_once(server, ""));
  set_nonblocking(clients_.back().get());
  const std::string chatter(4096, 'x');
  EXPECT_TRUE(run_until(loop_, [&] {
    send_some(clients_.back(), chatter);
    return backend().health() == Health::unhealthy;
  }));
  EXPECT_EQ(last_why(), "first probe failed: mismatch");
}

}  // namespace
}  // namespace sluice
