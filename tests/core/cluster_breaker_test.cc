// How clients' connects move a backend's breaker, and what is told of it.
#include "support.h"

namespace sluice {
namespace {

class ClusterBreakerTest : public ClusterTest {
 protected:
  ClusterBreakerTest() { apply(backend_settings_of(2)); }

  void expect_open(const Backend& wanted) { EXPECT_EQ(breaker_state(wanted), BreakerState::open); }
  void expect_closed(const Backend& wanted) {
    EXPECT_EQ(breaker_state(wanted), BreakerState::closed);
  }
};

TEST_F(ClusterBreakerTest, opens_on_exactly_the_threshold_th_failure_in_a_row) {
  connect_times(4, backend(0), ConnectOutcome::refused);
  expect_closed(backend(0));
  connect(backend(0), ConnectOutcome::timeout);
  expect_open(backend(0));
  expect_closed(backend(1));
  EXPECT_EQ(transitions.at(0).retry_at, now + seconds(30));
  EXPECT_EQ(transitions.at(0).cluster, "web");
  EXPECT_EQ(transitions.at(0).backend, "10.0.0.1:80");
  EXPECT_EQ(transitions.at(0).at, now);
  EXPECT_EQ(told(), (Lines{"breaker closed->open: 5 connect failures in a row, last: timeout"}));
}

TEST_F(ClusterBreakerTest, threshold_of_one_is_said_in_the_singular) {
  settings.circuit_breaker.failure_threshold = 1;
  apply(backend_settings_of(2));
  connect(backend(0), ConnectOutcome::reset);
  EXPECT_EQ(told(), (Lines{"breaker closed->open: 1 connect failure, last: reset"}));
}

TEST_F(ClusterBreakerTest, success_in_between_keeps_it_closed) {
  for (int i = 0; i < 10; ++i) {
    connect_times(4, backend(0), ConnectOutcome::refused);
    connect(backend(0), ConnectOutcome::connected);
  }
  expect_closed(backend(0));
}

TEST_F(ClusterBreakerTest, local_errors_and_abandoned_connects_never_open_it) {
  connect_times(4, backend(0), ConnectOutcome::refused);
  connect_times(100, backend(0), ConnectOutcome::local_error);
  connect_times(100, backend(0), ConnectOutcome::abandoned);
  expect_closed(backend(0));
  EXPECT_EQ(backend(0).connects(ConnectOutcome::local_error), 100U);
  EXPECT_EQ(backend(0).connects(ConnectOutcome::abandoned), 100U);
  EXPECT_EQ(backend(0).connects(ConnectOutcome::refused), 4U);
}

TEST_F(ClusterBreakerTest, count_found_above_a_lowered_threshold_opens_it) {
  connect_times(4, backend(0), ConnectOutcome::refused);
  settings.circuit_breaker.failure_threshold = 2;
  apply(backend_settings_of(2));
  connect(backend(0), ConnectOutcome::refused);
  expect_open(backend(0));
}

TEST_F(ClusterBreakerTest, probes_do_not_touch_the_count_of_a_closed_breaker) {
  connect_times(4, backend(0), ConnectOutcome::refused);
  probe(backend(0), true);
  EXPECT_EQ(backend(0).outlier_detector().consecutive_failures(), 4U);
  for (int i = 0; i < 10; ++i) probe(backend(1), false);
  expect_closed(backend(1));
  connect(backend(0), ConnectOutcome::refused);
  expect_open(backend(0));
}

TEST_F(ClusterBreakerTest, open_sends_nobody_until_recovery_timeout) {
  trip(backend(0));
  now += seconds(30) - Duration(1);
  EXPECT_FALSE(connect(backend(0), ConnectOutcome::connected));
  now += Duration(1);
  EXPECT_TRUE(connect(backend(0), ConnectOutcome::connected));
}

TEST_F(ClusterBreakerTest, whole_walk_is_told_once_with_its_reasons) {
  trip(backend(0));
  now += seconds(30);
  connect(backend(0), ConnectOutcome::timeout);
  EXPECT_EQ(transitions.back().retry_at, now + seconds(60));
  now += seconds(60);
  cluster->announce_half_open(now);
  connect(backend(0), ConnectOutcome::connected);
  EXPECT_EQ(told(), (Lines{"breaker closed->open: 5 connect failures in a row, last: refused",
                           "breaker open->half_open: reopening time has come",
                           "breaker half_open->open: trial failed: timeout",
                           "breaker open->half_open: reopening time has come",
                           "breaker half_open->closed: trial succeeded"}));
}

TEST_F(ClusterBreakerTest, exactly_one_client_is_the_trial) {
  trip(backend(0));
  now += seconds(30);
  const auto permit = admit(backend(0));
  ASSERT_TRUE(permit);
  EXPECT_TRUE(permit->is_trial);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(admit(backend(0)));
  EXPECT_FALSE(cluster->admit_probe(backend(0), now));
}

TEST_F(ClusterBreakerTest, trial_without_a_verdict_is_handed_back) {
  for (const auto outcome : {ConnectOutcome::local_error, ConnectOutcome::abandoned}) {
    trip(backend(0));
    now += seconds(30);
    EXPECT_TRUE(connect(backend(0), outcome));
    EXPECT_EQ(breaker_state(backend(0)), BreakerState::half_open);
    EXPECT_TRUE(connect(backend(0), ConnectOutcome::connected));
    expect_closed(backend(0));
  }
}

TEST_F(ClusterBreakerTest, success_threshold_is_told_with_its_number) {
  settings.circuit_breaker.success_threshold = 2;
  apply(backend_settings_of(2));
  trip(backend(0));
  now += seconds(30);
  connect(backend(0), ConnectOutcome::connected);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::half_open);
  connect(backend(0), ConnectOutcome::connected);
  EXPECT_EQ(told().back(), "breaker half_open->closed: 2 trials in a row succeeded");
}

TEST_F(ClusterBreakerTest, count_starts_from_zero_when_it_has_closed) {
  trip(backend(0));
  EXPECT_EQ(backend(0).outlier_detector().consecutive_failures(), 5U);
  now += seconds(30);
  connect(backend(0), ConnectOutcome::connected);
  EXPECT_EQ(backend(0).outlier_detector().consecutive_failures(), 0U);
  connect_times(4, backend(0), ConnectOutcome::refused);
  expect_closed(backend(0));
  connect(backend(0), ConnectOutcome::refused);
  expect_open(backend(0));
}

TEST_F(ClusterBreakerTest, slow_connects_from_before_the_trip_change_nothing_after_it) {
  std::vector<Permit> slow;
  for (int i = 0; i < 20; ++i) slow.push_back(admit(backend(0)).value());
  trip(backend(0));
  now += seconds(30);
  connect(backend(0), ConnectOutcome::connected);
  for (const Permit permit : slow) {
    cluster->record_connect(*snapshot, backend(0), permit, ConnectOutcome::timeout, now, random);
  }
  expect_closed(backend(0));
}

TEST_F(ClusterBreakerTest, switched_off_breaker_is_neither_asked_nor_told) {
  settings.circuit_breaker.is_enabled = false;
  apply(backend_settings_of(2));
  connect_times(100, backend(0), ConnectOutcome::refused);
  EXPECT_TRUE(admits(backend(0)));
  expect_closed(backend(0));
  EXPECT_EQ(backend(0).outlier_detector().consecutive_failures(), 0U);
  EXPECT_EQ(backend(0).connects(ConnectOutcome::refused), 100U);
  EXPECT_FALSE(cluster->admit_probe(backend(0), now));
}

TEST_F(ClusterBreakerTest, announcing_returns_the_next_reopening_time) {
  EXPECT_FALSE(cluster->announce_half_open(now));
  trip(backend(0));
  now += seconds(10);
  trip(backend(1));
  EXPECT_EQ(cluster->announce_half_open(now), now + seconds(20));
  now += seconds(20);
  EXPECT_EQ(cluster->announce_half_open(now), now + seconds(10));
  now += seconds(10);
  EXPECT_FALSE(cluster->announce_half_open(now));
  EXPECT_EQ(told().size(), 4U);
}

TEST_F(ClusterBreakerTest, an_operator_trips_a_closed_one_as_failures_would) {
  EXPECT_TRUE(cluster->trip(backend(0), now));
  expect_open(backend(0));
  EXPECT_EQ(backend(0).breaker().opens(), 1U);
  EXPECT_EQ(transitions.at(0).retry_at, now + seconds(30));
  EXPECT_FALSE(cluster->trip(backend(0), now));
  now += seconds(30);
  EXPECT_FALSE(cluster->trip(backend(0), now));  // half_open: its trial decides
  EXPECT_EQ(told(), (Lines{"breaker closed->open: by an operator"}));
}

TEST_F(ClusterBreakerTest, an_operator_resets_an_open_one_without_a_trial) {
  connect_times(5, backend(0), ConnectOutcome::refused);
  EXPECT_TRUE(cluster->reset(backend(0), now));
  expect_closed(backend(0));
  EXPECT_EQ(backend(0).outlier_detector().consecutive_failures(), 0U);
  EXPECT_EQ(told().back(), "breaker open->closed: by an operator");
  // The doubling is forgotten too.
  connect_times(5, backend(0), ConnectOutcome::refused);
  EXPECT_EQ(transitions.back().retry_at, now + seconds(30));
}

TEST_F(ClusterBreakerTest, a_reset_of_a_closed_one_begins_its_row_anew) {
  connect_times(4, backend(0), ConnectOutcome::refused);
  EXPECT_TRUE(cluster->reset(backend(0), now));
  EXPECT_FALSE(cluster->reset(backend(0), now));
  connect_times(4, backend(0), ConnectOutcome::refused);
  expect_closed(backend(0));
  EXPECT_TRUE(transitions.empty());
}

TEST_F(ClusterBreakerTest, what_is_off_cannot_be_tripped) {
  settings.circuit_breaker.is_enabled = false;
  apply(backend_settings_of(2));
  EXPECT_FALSE(cluster->trip(backend(0), now));
  expect_closed(backend(0));
}

}  // namespace
}  // namespace sluice
