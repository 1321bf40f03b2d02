// At a limit: clients wait for a place, in order, and leave the queue in every way there is.
#include <chrono>
#include <optional>

#include "proxy_rig.h"
#include "sluice/net/connector.h"

namespace sluice {
namespace {

class Limits : public ProxyTest {
 protected:
  Limits() {
    settings.limits.of_cluster = 1;
    settings.pending = {.clients_max = 10, .timeout = seconds(30)};
  }
  void TearDown() override {
    held.clear();
    listening.clear();
    ProxyTest::TearDown();
  }

  void start_with(size_t backends) {
    for (size_t i = 0; i < backends; ++i) {
      listening.push_back(listen_on(loopback()));
      add_backend(address_of(listening.back()));
    }
    start();
  }
  // A client that is connected through; its backend's end is held here.
  UniqueFd served_client(size_t index = 0) {
    UniqueFd client = connect_client();
    held.push_back(accept_from(listening[index]));
    return client;
  }
  PendingQueue& queue() { return cluster().pending(); }
  bool are_waiting(size_t count) {
    return wait_until([&] { return queue().waiting() == count; });
  }
  UniqueFd waiting_client() {
    const size_t before = queue().waiting();
    UniqueFd client = connect_client();
    EXPECT_TRUE(are_waiting(before + 1));
    return client;
  }
  static ReadEnd end_of(const UniqueFd& client) {
    std::string nothing;
    const ReadEnd end = receive_to_end(client, nothing);
    EXPECT_EQ(nothing, "");
    return end;
  }
  SessionRecord last_record(size_t count = 1) { return records(count).at(count - 1); }

  std::vector<UniqueFd> listening;
  std::vector<UniqueFd> held;
};

TEST_F(Limits, second_client_waits_until_the_first_leaves_and_is_then_served) {
  start_with(1);
  UniqueFd first = served_client();
  const UniqueFd second = waiting_client();
  send_all(second, "hello");
  EXPECT_FALSE(has_pending_client(listening[0], 200)) << "no connect before there is a place";
  reset_connection(std::move(first));
  const UniqueFd server = accept_from(listening[0]);
  std::string arrived;
  EXPECT_EQ(receive(server, 5, arrived), ReadEnd::enough);
  EXPECT_EQ(arrived, "hello");
  EXPECT_EQ(connects(ConnectOutcome::connected), 2U);
  EXPECT_EQ(queue().waiting(), 0U);
}

TEST_F(Limits, without_a_limit_nobody_waits) {
  settings.limits = {};
  start_with(1);
  const UniqueFd first = served_client(), second = served_client();
  EXPECT_EQ(queue().waiting(), 0U);
}

TEST_F(Limits, first_come_is_first_served_over_all_workers) {
  constexpr size_t kClients = 9;
  worker_count = 3;
  start_with(1);
  UniqueFd holder = served_client();
  std::vector<UniqueFd> clients;
  for (size_t i = 0; i < kClients; ++i) {
    clients.push_back(waiting_client());
    send_all(clients.back(), std::to_string(i));
  }
  for (size_t i = 0; i < kClients; ++i) {
    reset_connection(std::move(i == 0 ? holder : clients[i - 1]));
    const UniqueFd server = accept_from(listening[0]);
    std::string number;
    EXPECT_EQ(receive(server, 1, number), ReadEnd::enough);
    EXPECT_EQ(number, std::to_string(i));
  }
}

TEST_F(Limits, newcomer_does_not_go_before_those_who_wait) {
  settings.limits = {.of_cluster = std::nullopt, .of_backend = 1};
  start_with(1);
  UniqueFd holder = served_client();
  const UniqueFd first = waiting_client(), second = waiting_client();
  send_all(first, "1");
  send_all(second, "2");
  reset_connection(std::move(holder));
  const UniqueFd server = accept_from(listening[0]);
  std::string number;
  EXPECT_EQ(receive(server, 1, number), ReadEnd::enough);
  EXPECT_EQ(number, "1");
}

TEST_F(Limits, waiting_client_that_resets_leaves_at_once) {
  start_with(1);
  const UniqueFd first = served_client();
  reset_connection(waiting_client());
  EXPECT_TRUE(are_waiting(0));
  EXPECT_EQ(last_record().reason, EndReason::client_reset);
  EXPECT_EQ(last_record().attempts, 0U);
}

TEST_F(Limits, waiting_client_that_half_closes_and_then_resets_leaves_at_once) {
  start_with(1);
  const UniqueFd first = served_client();
  UniqueFd second = waiting_client();
  end_stream(second);
  EXPECT_FALSE(wait_until([&] { return record_count() > 0; }, milliseconds(200)));
  reset_connection(std::move(second));
  EXPECT_TRUE(are_waiting(0));
  EXPECT_EQ(last_record().reason, EndReason::client_reset);
}

TEST_F(Limits, half_closed_client_goes_on_waiting_and_is_served) {
  start_with(1);
  UniqueFd first = served_client();
  const UniqueFd second = waiting_client();
  send_all(second, "question");
  end_stream(second);
  EXPECT_FALSE(wait_until([&] { return record_count() > 0; }, milliseconds(200)));
  reset_connection(std::move(first));
  const UniqueFd server = accept_from(listening[0]);
  std::string question, answer;
  EXPECT_EQ(receive_to_end(server, question), ReadEnd::end_of_stream);
  EXPECT_EQ(question, "question");
  send_all(server, "answer");
  EXPECT_EQ(receive(second, 6, answer), ReadEnd::enough);
}

TEST_F(Limits, one_that_waits_too_long_is_refused_and_not_before) {
  settings.pending.timeout = milliseconds(500);
  start_with(1);
  const UniqueFd first = served_client();
  const auto began = std::chrono::steady_clock::now();
  const UniqueFd second = connect_client();
  EXPECT_EQ(end_of(second), ReadEnd::reset);
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(490));
  EXPECT_EQ(last_record().reason, EndReason::limit);
  EXPECT_EQ(last_record().attempts, 0U);
  EXPECT_FALSE(last_record().backend) << "it is nobody's fault";
  EXPECT_EQ(queue().waiting(), 0U);
}

TEST_F(Limits, client_is_refused_at_once_when_the_queue_is_full) {
  settings.pending.clients_max = 1;
  start_with(1);
  const UniqueFd first = served_client();
  const UniqueFd second = waiting_client();
  const auto began = std::chrono::steady_clock::now();
  const UniqueFd third = connect_client();
  EXPECT_EQ(end_of(third), ReadEnd::reset);
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(10));
  EXPECT_EQ(last_record().reason, EndReason::limit);
  EXPECT_EQ(queue().waiting(), 1U);
}

TEST_F(Limits, client_is_refused_at_once_when_there_is_no_queue) {
  settings.pending.clients_max = 0;
  start_with(1);
  const UniqueFd first = served_client();
  EXPECT_EQ(end_of(connect_client()), ReadEnd::reset);
  EXPECT_EQ(last_record().reason, EndReason::limit);
}

// Each backend's breaker is asked again by whoever waits: all are told at once that it is no use.
TEST_F(Limits, all_that_wait_are_refused_at_once_when_the_last_breaker_opens) {
  worker_count = 3;
  settings.limits = {.of_cluster = std::nullopt, .of_backend = 1};
  settings.circuit_breaker.is_enabled = true;
  start_with(1);
  const UniqueFd first = served_client();
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(waiting_client());
  const auto began = std::chrono::steady_clock::now();
  trip(backend());
  for (const UniqueFd& client : clients) EXPECT_EQ(end_of(client), ReadEnd::reset);
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(15)) << "not after the timeout";
  for (const SessionRecord& record : records(4)) EXPECT_EQ(record.reason, EndReason::no_backend);
  EXPECT_EQ(queue().waiting(), 0U);
}

TEST_F(Limits, limit_of_each_backend_lets_two_serve_and_the_third_wait) {
  settings.limits = {.of_cluster = std::nullopt, .of_backend = 1};
  start_with(2);
  std::vector<UniqueFd> clients;
  clients.push_back(connect_client());
  clients.push_back(connect_client());
  for (const UniqueFd& socket : listening) held.push_back(accept_from(socket));
  const UniqueFd third = waiting_client();
  EXPECT_EQ(backend(0).active_connections(), 1U);
  EXPECT_EQ(backend(1).active_connections(), 1U);
  // It takes the place that becomes free, whichever it is.
  reset_connection(std::move(held[1]));
  EXPECT_TRUE(accept_from(listening[1]));
}

// A waiter's own vain try must not call it: the worker would try for ever and serve nobody.
TEST_F(Limits, worker_serves_others_while_some_wait_at_a_full_backend) {
  settings.limits = {.of_cluster = 5, .of_backend = 1};
  start_with(1);
  const UniqueFd first = served_client();
  const UniqueFd second = waiting_client();
  send_all(first, "still here");
  std::string arrived;
  EXPECT_EQ(receive(held[0], 10, arrived), ReadEnd::enough);
}

TEST_F(Limits, raised_limit_lets_those_who_wait_in) {
  worker_count = 2;
  start_with(1);
  const UniqueFd first = served_client();
  const UniqueFd second = waiting_client(), third = waiting_client();
  settings.limits.of_cluster = 3;
  reload();
  held.push_back(accept_from(listening[0]));
  held.push_back(accept_from(listening[0]));
  EXPECT_TRUE(are_waiting(0));
}

TEST_F(Limits, connect_deadline_begins_after_the_queue) {
  settings.connect_deadline = milliseconds(300);
  settings.connect_timeout = milliseconds(300);
  start_with(1);
  UniqueFd first = served_client();
  const UniqueFd second = waiting_client();
  EXPECT_FALSE(wait_until([&] { return record_count() > 0; }, milliseconds(900)));
  reset_connection(std::move(first));
  EXPECT_TRUE(accept_from(listening[0])) << "three deadlines later";
}

TEST_F(Limits, drain_serves_those_who_wait) {
  start_with(1);
  UniqueFd first = served_client();
  UniqueFd second = waiting_client();
  stop_accepting();
  EXPECT_EQ(idle_reports(), 0U);
  reset_connection(std::move(first));
  held.push_back(accept_from(listening[0]));
  EXPECT_EQ(idle_reports(), 0U);
  reset_connection(std::move(second));
  EXPECT_TRUE(wait_until([&] { return idle_reports() == worker_count; }));
}

TEST_F(Limits, cut_ends_those_who_wait_too) {
  worker_count = 2;
  start_with(1);
  const UniqueFd first = served_client();
  const UniqueFd second = waiting_client(), third = waiting_client();
  for (size_t i = 0; i < worker_count; ++i) worker(i).cut_sessions(EndReason::draining);
  EXPECT_EQ(end_of(second), ReadEnd::reset);
  EXPECT_EQ(end_of(third), ReadEnd::reset);
  EXPECT_TRUE(are_waiting(0));
  for (const SessionRecord& record : records(3)) EXPECT_EQ(record.reason, EndReason::draining);
}

// --- why it went there -------------------------------------------------------------------------

TEST_F(Limits, record_tells_who_was_passed_over_and_why) {
  settings.limits = {};
  settings.circuit_breaker.is_enabled = true;
  settings.has_probes = true;
  const RefusingPort dead = refusing_port();
  add_backend(loopback(1), 0);
  add_backend(loopback(2), 1);
  add_backend(dead.address, 2);
  listening.push_back(listen_on(loopback()));
  add_backend(address_of(listening[0]), 3);
  start();
  trip(backend(0));
  fail_probe(backend(1));
  {
    const UniqueFd client = connect_client();
    const UniqueFd server = accept_from(listening[0]);
  }
  const SessionRecord record = last_record();
  EXPECT_EQ(record.attempts, 2U);
  EXPECT_EQ(record.decision.passed_over(Obstacle::breaker), 1U);
  EXPECT_EQ(record.decision.passed_over(Obstacle::health), 1U);
  EXPECT_EQ(record.decision.passed_over(Obstacle::tried), 1U);
  EXPECT_EQ(record.decision.passed_over(Obstacle::limit), 0U);
  EXPECT_FALSE(record.decision.is_trial);
}

TEST_F(Limits, record_tells_of_a_trial) {
  settings.limits = {};
  settings.circuit_breaker.is_enabled = true;
  settings.circuit_breaker.recovery_timeout = milliseconds(1);
  settings.circuit_breaker.max_recovery_timeout = milliseconds(1);
  start_with(1);
  trip(backend());
  ASSERT_TRUE(wait_until(
      [&] { return breaker_state(backend(), milliseconds(10)) == BreakerState::half_open; }));
  reset_connection(served_client());
  EXPECT_TRUE(last_record().decision.is_trial);
  ASSERT_EQ(breaker_state(backend()), BreakerState::closed);
  reset_connection(served_client());
  EXPECT_FALSE(last_record(2).decision.is_trial);
}

}  // namespace
}  // namespace sluice
