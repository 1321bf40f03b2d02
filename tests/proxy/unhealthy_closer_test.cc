// Sessions of a backend that has turned unhealthy are ended, at once or spread over a time.
#include <chrono>
#include <map>

#include "proxy_rig.h"

namespace sluice {
namespace {

constexpr size_t kSessions = 20;

class CloseOnUnhealthy : public ProxyTest {
 protected:
  void TearDown() override {
    clients.clear();
    servers.clear();
    listening.clear();
    ProxyTest::TearDown();
  }
  // As many sessions on each.
  void open_sessions(size_t backends) {
    settings.has_probes = true;
    for (size_t i = 0; i < backends; ++i) {
      listening.push_back(listen_on(loopback()));
      add_backend(address_of(listening.back()));
    }
    start();
    for (size_t i = 0; i < backends * kSessions; ++i) clients.push_back(connect_client());
    for (size_t i = 0; i < backends * kSessions; ++i) {
      servers.push_back(accept_from(listening[i % backends]));
    }
    for (size_t i = 0; i < backends; ++i) {
      ASSERT_TRUE(wait_until([&] { return connects(ConnectOutcome::connected, i) == kSessions; }));
    }
  }
  void close(size_t index, Duration over) {
    for (size_t i = 0; i < worker_count; ++i) {
      worker(i).close_sessions_of(shared_backend(index), over);
    }
  }

  std::vector<UniqueFd> listening;
  std::vector<UniqueFd> clients;
  std::vector<UniqueFd> servers;
};

TEST_F(CloseOnUnhealthy, all_are_ended_at_once_and_others_are_left_alone) {
  open_sessions(2);
  fail_probe(backend(0));
  close(0, Duration::zero());
  for (const SessionRecord& record : records(kSessions)) {
    EXPECT_EQ(record.reason, EndReason::backend_unhealthy);
    EXPECT_EQ(record.backend.get(), &backend(0));
  }
  EXPECT_FALSE(wait_until([&] { return record_count() > kSessions; }, milliseconds(300)));
  EXPECT_EQ(backend(1).active_connections(), kSessions);
  EXPECT_EQ(backend(0).active_connections(), 0U);
}

TEST_F(CloseOnUnhealthy, nobody_is_ended_when_it_is_healthy_after_all) {
  open_sessions(1);
  close(0, Duration::zero());
  EXPECT_FALSE(wait_until([&] { return record_count() > 0; }, milliseconds(300)));
}

// By the times at which they ended: at any time no more than their part, give or take a step.
TEST_F(CloseOnUnhealthy, spread_over_a_time_no_step_ends_more_than_its_part) {
  constexpr Duration kOver = seconds(2);
  open_sessions(1);
  fail_probe(backend(0));
  const TimePoint began(std::chrono::steady_clock::now().time_since_epoch());
  close(0, kOver);
  const auto ended = records(kSessions);
  ASSERT_EQ(ended.size(), kSessions);
  std::map<TimePoint, size_t> steps;
  for (const SessionRecord& record : ended) {
    EXPECT_EQ(record.reason, EndReason::backend_unhealthy);
    ++steps[record.ended_at];
  }
  // A late step (a busy machine) has fewer left to share the rest: only early ones have a bound.
  size_t count = 0;
  for (const auto& [at, in_step] : steps) {
    count += in_step;
    const Duration passed = at - began + UnhealthyCloser::kStep;
    const auto most = static_cast<size_t>(int64_t{kSessions} * to_ms(passed) / to_ms(kOver)) + 1;
    EXPECT_LE(count, most) << to_ms(passed) << " ms";
  }
  EXPECT_GE(steps.size(), 5U);
  EXPECT_LE(steps.rbegin()->first - began, kOver + seconds(3));
}

TEST_F(CloseOnUnhealthy, other_backends_that_turn_unhealthy_hurry_nobody) {
  open_sessions(2);
  fail_probe(backend(0));
  close(0, std::chrono::minutes(10));
  ASSERT_TRUE(wait_until([&] { return record_count() == 1; }));
  // Each time all that is left of it.
  fail_probe(backend(1));
  for (int i = 0; i < 10; ++i) close(1, std::chrono::minutes(10));
  EXPECT_FALSE(
      wait_until([&] { return backend(0).active_connections() < kSessions - 1; }, seconds(1)));
}

TEST_F(CloseOnUnhealthy, recovery_stops_it) {
  open_sessions(1);
  fail_probe(backend(0));
  close(0, seconds(60));
  ASSERT_TRUE(wait_until([&] { return record_count() == 1; }));
  pass_probes(backend(0));
  const size_t before = record_count();
  EXPECT_FALSE(wait_until([&] { return record_count() > before + 1; }, seconds(4)));
  EXPECT_GE(backend(0).active_connections(), kSessions - 2);
}

TEST_F(CloseOnUnhealthy, more_than_one_turn_s_worth_are_ended_at_once_too) {
  constexpr size_t kMany = 2 * UnhealthyCloser::kEndsPerTurnMax + 1;
  static_assert(kMany > kSessions);
  listening.push_back(listen_on(loopback()));
  add_backend(address_of(listening.back()));
  settings.has_probes = true;
  start();
  for (size_t i = 0; i < kMany; ++i) {
    clients.push_back(connect_client());
    servers.push_back(accept_from(listening[0]));
  }
  ASSERT_TRUE(wait_until([&] { return connects(ConnectOutcome::connected) == kMany; }));
  fail_probe(backend());
  close(0, Duration::zero());
  records(kMany);
  EXPECT_EQ(backend().active_connections(), 0U);
}

TEST_F(CloseOnUnhealthy, those_that_end_of_themselves_are_taken_out_of_the_rest) {
  open_sessions(1);
  fail_probe(backend());
  close(0, seconds(2));
  ASSERT_TRUE(wait_until([&] { return record_count() >= 1; }));
  for (size_t i = 0; i < kSessions; i += 2) reset_connection(std::move(clients[i]));
  size_t ended_by_us = 0;
  for (const SessionRecord& record : records(kSessions)) {
    ended_by_us += record.reason == EndReason::backend_unhealthy;
  }
  EXPECT_GE(ended_by_us, kSessions / 2);
  EXPECT_LT(ended_by_us, kSessions);
}

// --- connects under way

class CloseOnUnhealthyConnecting : public CloseOnUnhealthy {
 protected:
  // A client whose first attempt gets no answer from backend 0; `more` are tried after it.
  void begin_attempt(const std::vector<Address>& more = {}) {
    settings.has_probes = true;
    settings.connect_timeout = settings.connect_deadline = seconds(30);
    add_backend(hung.address(), 0);
    for (const Address& address : more) add_backend(address, 1);
    start();
    clients.push_back(connect_client());
    ASSERT_TRUE(wait_until([&] { return backend(0).active_connections() == 1; }));
  }

  const HungBackend hung;
};

TEST_F(CloseOnUnhealthyConnecting, attempt_is_given_up_and_another_backend_tried) {
  listening.push_back(listen_on(loopback()));
  settings.circuit_breaker.is_enabled = true;
  settings.circuit_breaker.failure_threshold = 1;
  begin_attempt({address_of(listening[0])});
  EXPECT_FALSE(has_pending_client(listening[0], 200)) << "the control: it would wait on";
  fail_probe(backend(0));
  close(0, std::chrono::minutes(10));
  servers.push_back(accept_from(listening[0]));
  EXPECT_EQ(connects(ConnectOutcome::abandoned, 0), 1U);
  EXPECT_EQ(backend(0).active_connections(), 0U);
  EXPECT_EQ(backend(0).breaker().opens(), 0U) << "nobody is blamed";
}

TEST_F(CloseOnUnhealthyConnecting, client_is_refused_when_there_is_no_other) {
  begin_attempt();
  fail_probe(backend(0));
  close(0, Duration::zero());
  EXPECT_EQ(records(1).at(0).reason, EndReason::connect_failed);
}

TEST_F(CloseOnUnhealthyConnecting, trial_goes_on_to_its_verdict) {
  settings.circuit_breaker.is_enabled = true;
  settings.circuit_breaker.recovery_timeout = milliseconds(1);
  settings.circuit_breaker.jitter = 0;
  settings.has_probes = true;
  settings.connect_timeout = seconds(1);
  settings.connect_attempts = 1;
  add_backend(hung.address(), 0);
  start();
  trip(backend(0));
  ASSERT_TRUE(wait_until(
      [&] { return breaker_state(backend(0), milliseconds(50)) == BreakerState::half_open; }));
  clients.push_back(connect_client());
  ASSERT_TRUE(wait_until([&] { return backend(0).active_connections() == 1; }));
  fail_probe(backend(0));
  close(0, Duration::zero());
  EXPECT_EQ(records(1).at(0).reason, EndReason::connect_failed);
  EXPECT_EQ(connects(ConnectOutcome::timeout, 0), 1U);
  EXPECT_EQ(connects(ConnectOutcome::abandoned, 0), 0U);
}

TEST_F(CloseOnUnhealthy, sessions_of_all_workers_are_ended) {
  worker_count = 3;
  open_sessions(1);
  fail_probe(backend(0));
  close(0, milliseconds(300));
  records(kSessions);
  EXPECT_EQ(backend(0).active_connections(), 0U);
}

}  // namespace
}  // namespace sluice
