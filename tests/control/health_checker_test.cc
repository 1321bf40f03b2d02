#include "sluice/control/health_checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "sockets.h"
#include "waiting.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

// A cluster of real addresses with its probers on a loop, and what they found.
class HealthCheckerTest : public testing::Test {
 protected:
  void watch(const std::vector<Address>& addresses, HealthCheckConfig check) {
    config_.name = "web";
    config_.health_check = std::move(check);
    config_.settings.circuit_breaker.jitter = 0;
    for (const Address& address : addresses) {
      BackendSettings settings;
      settings.name = address.to_string();
      settings.address = address;
      settings_.push_back(settings);
    }
    cluster_ = std::make_shared<Cluster>(
        "web", [this](Transition change) { transitions_.push_back(std::move(change)); }, Random(1));
    cluster_->apply(config_.settings, settings_, Arrival::cold_start, loop_.now());
    checker_ = std::make_unique<HealthChecker>(loop_, poller_, Random(2));
    checker_->watch(cluster_, config_, settings_);
  }

  Backend& backend(size_t index = 0) {
    return *cluster_->snapshot()->levels.front().backends[index];
  }

  bool becomes(Health health, size_t index = 0) {
    return run_until(loop_, [&] { return backend(index).health() == health; });
  }

  // Accepts on `server` and talks: reads what a probe sends, answers, hangs up if told so.
  bool serve_once(const UniqueFd& server, std::string_view answer,
                  std::string* received = nullptr) {
    if (!run_until(loop_, [&] { return has_pending_client(server); })) return false;
    clients_.push_back(accept_from(server));
    if (received != nullptr) {
      const size_t wanted = config_.health_check->send.size();
      run_until(loop_, [&] {
        receive_some(clients_.back(), *received);
        return received->size() >= wanted;
      });
    }
    if (!answer.empty()) send_all(clients_.back(), answer);
    return true;
  }

  static HealthCheckConfig quick() {
    HealthCheckConfig check;
    check.interval = milliseconds(40);
    check.unhealthy_interval = milliseconds(20);
    check.timeout = milliseconds(200);
    return check;
  }

  std::string last_why() const { return transitions_.empty() ? "" : transitions_.back().why; }

  Loop loop_;
  Poller poller_{loop_};
  ClusterConfig config_;
  std::vector<BackendSettings> settings_;
  std::deque<Transition> transitions_;
  std::shared_ptr<Cluster> cluster_;
  std::deque<UniqueFd> clients_;
  std::unique_ptr<HealthChecker> checker_;
};

TEST_F(HealthCheckerTest, first_probe_goes_out_at_once_and_decides_alone) {
  const UniqueFd server = listen_on(loopback());
  HealthCheckConfig check = quick();
  check.interval = check.unhealthy_interval = std::chrono::hours(1);
  watch({address_of(server), refusing_port().address}, check);
  EXPECT_TRUE(becomes(Health::healthy, 0));
  EXPECT_TRUE(becomes(Health::unhealthy, 1));
  EXPECT_EQ(last_why().substr(0, 11), "first probe");
}

TEST_F(HealthCheckerTest, backend_that_dies_and_returns_is_noticed_by_the_thresholds) {
  UniqueFd server = listen_on(loopback());
  const Address address = address_of(server);
  watch({address}, quick());
  ASSERT_TRUE(becomes(Health::healthy));
  server.reset();
  ASSERT_TRUE(becomes(Health::unhealthy));
  EXPECT_EQ(last_why(), "3 probes in a row failed, last: refused");
  server = listen_on(address);
  ASSERT_TRUE(becomes(Health::healthy));
  EXPECT_EQ(last_why(), "2 probes in a row passed");
}

TEST_F(HealthCheckerTest, answer_that_matches_passes_and_the_question_arrives_unchanged) {
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

TEST_F(HealthCheckerTest, answer_in_two_pieces_passes) {
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

TEST_F(HealthCheckerTest, answer_that_does_not_match_is_a_mismatch) {
  const UniqueFd server = listen_on(loopback());
  HealthCheckConfig check = quick();
  check.expect = "+PONG";
  watch({address_of(server)}, check);
  ASSERT_TRUE(serve_once(server, "-NOAUTH Authentication required.\r\n"));
  EXPECT_TRUE(becomes(Health::unhealthy));
  EXPECT_EQ(last_why(), "first probe failed: mismatch");
}

TEST_F(HealthCheckerTest, server_that_hangs_up_without_an_answer_is_closed) {
  const UniqueFd server = listen_on(loopback());
  HealthCheckConfig check = quick();
  check.expect = "+PONG";
  watch({address_of(server)}, check);
  ASSERT_TRUE(serve_once(server, ""));
  clients_.clear();
  EXPECT_TRUE(becomes(Health::unhealthy));
  EXPECT_EQ(last_why(), "first probe failed: closed");
}

TEST_F(HealthCheckerTest, server_that_says_nothing_times_out) {
  const UniqueFd server = listen_on(loopback());
  HealthCheckConfig check = quick();
  check.expect = "+PONG";
  watch({address_of(server)}, check);
  EXPECT_TRUE(becomes(Health::unhealthy));
  EXPECT_EQ(last_why(), "first probe failed: timeout");
}

TEST_F(HealthCheckerTest, dialogue_goes_step_by_step) {
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

TEST_F(HealthCheckerTest, server_that_hangs_up_in_mid_dialogue_is_closed) {
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

TEST_F(HealthCheckerTest, endless_wrong_answer_is_cut_off) {
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

// One that hangs does not hold up the others: all verdicts are in before the hanging one's timeout.
TEST_F(HealthCheckerTest, probes_never_wait_for_one_another) {
  constexpr size_t kServers = 300;
  std::vector<UniqueFd> servers;
  std::vector<Address> addresses;
  for (size_t i = 0; i < kServers; ++i) {
    servers.push_back(listen_on(loopback()));
    addresses.push_back(address_of(servers.back()));
  }
  HealthCheckConfig check = quick();
  check.expect = "hello";
  check.timeout = std::chrono::minutes(10);
  watch(addresses, check);
  run_until(loop_, [&] { return checker_->in_flight() == kServers; });
  EXPECT_EQ(checker_->in_flight(), kServers);
  // All but the first answer.
  for (size_t i = 1; i < kServers; ++i) ASSERT_TRUE(serve_once(servers[i], "hello"));
  for (size_t i = 1; i < kServers; ++i) EXPECT_TRUE(becomes(Health::healthy, i));
  EXPECT_EQ(backend(0).health(), Health::unknown);
}

TEST_F(HealthCheckerTest, probe_takes_the_trial_of_an_idle_backend) {
  const UniqueFd server = listen_on(loopback());
  config_.settings.circuit_breaker.recovery_timeout = milliseconds(50);
  config_.settings.circuit_breaker.early_trial = false;
  watch({address_of(server)}, quick());
  ASSERT_TRUE(becomes(Health::healthy));
  Random random(3);
  backend().breaker().trip(backend().breaker().generation(), loop_.now(),
                           config_.settings.circuit_breaker, random, [](const BreakerChange&) {});
  ASSERT_EQ(backend().breaker().state(loop_.now()), BreakerState::open);
  EXPECT_TRUE(run_until(
      loop_, [&] { return backend().breaker().state(loop_.now()) == BreakerState::closed; }));
  EXPECT_EQ(last_why(), "trial succeeded");
}

TEST_F(HealthCheckerTest, probe_of_another_port_never_takes_the_trial) {
  const UniqueFd traffic = listen_on(loopback());
  const UniqueFd health = listen_on(loopback());
  config_.settings.circuit_breaker.recovery_timeout = milliseconds(1);
  config_.settings.circuit_breaker.early_trial = false;
  HealthCheckConfig check = quick();
  check.port = address_of(health).port();
  watch({address_of(traffic)}, check);
  ASSERT_TRUE(becomes(Health::healthy));
  Random random(3);
  backend().breaker().trip(backend().breaker().generation(), loop_.now(),
                           config_.settings.circuit_breaker, random, [](const BreakerChange&) {});
  size_t probes = 0;
  EXPECT_TRUE(run_until(loop_, [&] {
    if (has_pending_client(health)) {
      accept_from(health);
      ++probes;
    }
    return probes == 10;
  }));
  EXPECT_EQ(backend().breaker().state(loop_.now()), BreakerState::half_open);
  EXPECT_FALSE(has_pending_client(traffic));
}

TEST_F(HealthCheckerTest, unix_backend_with_a_full_backlog_is_waited_for) {
  const Address address = unused_abstract_name();
  const UniqueFd server = listen_on(address, 0);
  const UniqueFd filler = connect_to(address);  // takes the only place
  HealthCheckConfig check = quick();
  check.timeout = std::chrono::seconds(10);
  watch({address}, check);
  ASSERT_TRUE(run_until(loop_, [&] { return checker_->in_flight() == 1; }));
  accept_from(server);
  EXPECT_TRUE(becomes(Health::healthy));
}

TEST_F(HealthCheckerTest, backend_that_left_is_no_longer_probed) {
  const UniqueFd server = listen_on(loopback());
  watch({address_of(server)}, quick());
  ASSERT_TRUE(becomes(Health::healthy));
  settings_.clear();
  cluster_->apply(config_.settings, settings_, Arrival::later, loop_.now());
  checker_->watch(cluster_, config_, settings_);
  EXPECT_EQ(checker_->in_flight(), 0U);
  while (has_pending_client(server)) accept_from(server);
  Timer later(loop_, [] {});
  later.start(milliseconds(300));
  run_until(loop_, [&] { return !later.is_running(); });
  EXPECT_FALSE(has_pending_client(server));
}

TEST_F(HealthCheckerTest, prober_that_goes_in_mid_probe_gives_the_trial_back) {
  const UniqueFd server = listen_on(loopback());
  config_.settings.circuit_breaker.recovery_timeout = milliseconds(0);
  HealthCheckConfig check = quick();
  check.expect = "never comes";
  check.timeout = std::chrono::minutes(10);
  watch({address_of(server)}, check);
  Random random(3);
  backend().breaker().trip(backend().breaker().generation(), loop_.now(),
                           config_.settings.circuit_breaker, random, [](const BreakerChange&) {});
  ASSERT_TRUE(run_until(loop_, [&] { return checker_->in_flight() == 1; }));
  EXPECT_FALSE(backend().breaker().admit(loop_.now(), [](const BreakerChange&) {}));
  checker_.reset();
  EXPECT_TRUE(backend().breaker().admit(loop_.now(), [](const BreakerChange&) {}));
}

}  // namespace
}  // namespace sluice
