// Outlier detection as the cluster does it: who is ejected, for how long, and what is refused.
#include "outliers_rig.h"

namespace sluice {
namespace {

// --- the statistical detectors
// ---------------------------------------------------------------------

TEST_F(ClusterOutliersTest, success_rate_ejects_by_the_breaker_and_tells_its_figures) {
  outliers().success_rate = {.is_enabled = true, .min_hosts = 5, .min_volume = 100};
  apply(backend_settings_of(5));
  for (size_t i = 0; i < 4; ++i) connect_times(100, backend(i), ConnectOutcome::connected);
  for (int i = 0; i < 100; ++i) {
    connect(backend(4), i % 5 < 2 ? ConnectOutcome::connected : ConnectOutcome::timeout);
  }
  judge();
  EXPECT_EQ(breaker_state(backend(4)), kEjected);
  ASSERT_EQ(transitions.size(), 1U);
  EXPECT_EQ(transitions[0].retry_at, now + seconds(30));
  EXPECT_EQ(told(), (Lines{"breaker closed->open: success rate 40.0 % below 42.4 % (mean 88.0 %, "
                           "5 hosts)"}));
  EXPECT_EQ(ejections(Detector::success_rate), 1U);
}

TEST_F(ClusterOutliersTest, failures_now_and_then_below_the_breaker_s_threshold_eject) {
  settings.circuit_breaker.failure_threshold = 5;
  outliers().failure_percentage = {.is_enabled = true, .threshold = 75, .min_volume = 40};
  apply(backend_settings_of(2));
  for (int i = 0; i < 10; ++i) {
    connect_times(3, backend(0), ConnectOutcome::refused);
    connect(backend(0), ConnectOutcome::connected);
  }
  judge();
  EXPECT_EQ(breaker_state(backend(0)), kEjected);
  EXPECT_EQ(told(), (Lines{"breaker closed->open: 75.0 % of 40 connects failed, 75 % is the "
                           "limit"}));
}

TEST_F(ClusterOutliersTest, nothing_is_judged_while_it_is_off) {
  use_failure_percentage(2);
  outliers().is_enabled = false;
  apply(backend_settings_of(2));
  fail(backend(0));
  judge();
  EXPECT_EQ(breaker_state(backend(0)), kIn);
}

TEST_F(ClusterOutliersTest, backend_of_a_cluster_that_never_had_it_keeps_nothing_for_it) {
  outliers().is_enabled = false;
  apply(backend_settings_of(2));
  fail(backend(0));
  EXPECT_EQ(backend(0).outlier_watch(), nullptr);
}

TEST_F(ClusterOutliersTest, local_errors_and_abandoned_connects_enter_no_window) {
  use_failure_percentage(2);
  connect_times(100, backend(0), ConnectOutcome::local_error);
  connect_times(100, backend(0), ConnectOutcome::abandoned);
  connect_times(9, backend(0), ConnectOutcome::refused);
  judge();
  EXPECT_EQ(breaker_state(backend(0)), kIn);
  EXPECT_EQ(backend(0).outlier_watch()->window.sum_up(now).volume(), 9U);
}

TEST_F(ClusterOutliersTest, outcomes_older_than_the_window_do_not_count) {
  use_failure_percentage(2);
  fail(backend(0));
  now += seconds(30);
  judge();
  EXPECT_EQ(breaker_state(backend(0)), kIn);
}

TEST_F(ClusterOutliersTest, what_it_was_ejected_for_is_not_held_against_it_again) {
  use_failure_percentage(2);
  outliers().base_ejection = seconds(1);  // shorter than the window
  apply(backend_settings_of(2));
  fail(backend(0));
  judge();
  recover(backend(0));
  judge();
  EXPECT_EQ(breaker_state(backend(0)), kIn);
}

TEST_F(ClusterOutliersTest, slow_connects_from_before_the_ejection_enter_no_window_after_it) {
  use_failure_percentage(2);
  const std::vector<Permit> slow(20, admit(backend(0)).value());
  fail(backend(0));
  judge();
  recover(backend(0));
  for (const Permit& permit : slow) {
    cluster->record_connect(*snapshot, backend(0), permit, ConnectOutcome::timeout, now, random);
  }
  judge();
  EXPECT_EQ(breaker_state(backend(0)), kIn);
}

TEST_F(ClusterOutliersTest, failed_trial_of_an_ejected_backend_doubles_the_ejection) {
  settings.circuit_breaker.recovery_timeout = minutes(4);
  use_failure_percentage(2);
  fail(backend(0));
  judge();
  for (const int expected : {60, 120, 240, 300, 300}) {
    now = transitions.back().retry_at.value();
    ASSERT_TRUE(connect(backend(0), ConnectOutcome::refused));
    EXPECT_EQ(open_period(), seconds(expected))
        << "up to max_ejection, not the breaker's own maximum";
  }
}

TEST_F(ClusterOutliersTest, passing_probes_do_not_bring_an_ejected_backend_back_early) {
  settings.has_probes = true;
  use_failure_percentage(3);
  settings.circuit_breaker.failure_threshold = 5;
  fail(backend(0));
  judge();
  apply(backend_settings_of(3));
  trip(backend(1));  // the control: this one is the breaker's own
  for (int i = 0; i < 10; ++i) {
    now += seconds(1);
    probe_aside(backend(0), true);
    probe_aside(backend(1), true);
  }
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::open);
  EXPECT_EQ(breaker_state(backend(1)), BreakerState::half_open);
}

// --- how many
// --------------------------------------------------------------------------------------

TEST_F(ClusterOutliersTest, max_ejected_is_never_exceeded_and_refusals_are_counted) {
  outliers().max_ejected = 25;
  use_failure_percentage(12);
  for (size_t i = 0; i < 5; ++i) fail(backend(i));
  judge();
  size_t ejected = 0;
  for (size_t i = 0; i < 12; ++i) ejected += breaker_state(backend(i)) == kEjected;
  EXPECT_EQ(ejected, 3U);
  EXPECT_EQ(cluster->ejections().out(), 3U);
  EXPECT_EQ(ejections(Detector::failure_percentage), 3U);
  EXPECT_EQ(refusals(Detector::failure_percentage), 2U);
  judge();
  EXPECT_EQ(refusals(Detector::failure_percentage), 4U);
}

TEST_F(ClusterOutliersTest, one_may_always_be_ejected_however_few_there_are) {
  outliers().max_ejected = 0;
  use_failure_percentage(2);
  fail(backend(0));
  judge();
  EXPECT_EQ(breaker_state(backend(0)), kEjected);
}

TEST_F(ClusterOutliersTest, last_available_one_is_kept) {
  outliers().max_ejected = 100;
  use_failure_percentage(3);
  for (size_t i = 0; i < 3; ++i) fail(backend(i));
  judge();
  EXPECT_EQ(cluster->ejections().out(), 2U);
  EXPECT_EQ(refusals(Detector::failure_percentage), 1U);
}

TEST_F(ClusterOutliersTest, refusal_is_kept_to_be_told_of_with_who_why_and_how_often) {
  use_failure_percentage(20);
  for (size_t i = 0; i < 4; ++i) fail(backend(i));
  EXPECT_EQ(cluster->take_refused_ejection(Detector::failure_percentage), std::nullopt);
  judge();
  judge();
  const auto refusal = cluster->take_refused_ejection(Detector::failure_percentage);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->backend, "10.0.0.3:80");
  EXPECT_EQ(refusal->proposal, "100.0 % of 10 connects failed, 50 % is the limit");
  EXPECT_EQ(refusal->obstacle, "max_ejected lets 2 of 20 backends be out, and 2 are already");
  EXPECT_EQ(refusal->times, 4U) << "two backends, twice each";
  EXPECT_EQ(cluster->take_refused_ejection(Detector::failure_percentage), std::nullopt)
      << "told of once";
  EXPECT_EQ(cluster->take_refused_ejection(Detector::early_close), std::nullopt);
}

TEST_F(ClusterOutliersTest, refusal_for_the_last_available_one_says_so) {
  outliers().max_ejected = 100;
  use_failure_percentage(2);
  for (size_t i = 0; i < 2; ++i) fail(backend(i));
  judge();
  const auto refusal = cluster->take_refused_ejection(Detector::failure_percentage);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->obstacle, "no other backend would be available");
}

TEST_F(ClusterOutliersTest, who_takes_no_clients_is_not_the_one_that_is_kept) {
  outliers().max_ejected = 100;
  settings.has_probes = true;
  use_failure_percentage(6);
  auto backends = backend_settings_of(6);
  backends[5].weight = 0;
  apply(backends);
  for (size_t i = 0; i < 6; ++i) probe(backend(i), i != 1);  // unhealthy
  cluster->set_admin_state(backend(2), AdminState::draining, now);
  cluster->set_admin_state(backend(3), AdminState::maintenance, now);
  settings.circuit_breaker.failure_threshold = 5;
  apply(backends);
  trip(backend(4));
  settings.circuit_breaker.failure_threshold = 1000;
  apply(backends);
  fail(backend(0));
  judge();
  EXPECT_EQ(breaker_state(backend(0)), kIn);
  EXPECT_EQ(refusals(Detector::failure_percentage), 1U);
  cluster->set_admin_state(backend(2), AdminState::ready, now);
  judge();
  EXPECT_EQ(breaker_state(backend(0)), kEjected) << "the control: another one is there";
}

TEST_F(ClusterOutliersTest, breaker_s_own_verdict_has_no_cap) {
  settings.circuit_breaker.failure_threshold = 5;
  use_failure_percentage(3);
  for (size_t i = 0; i < 3; ++i) trip(backend(i));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(breaker_state(backend(i)), BreakerState::open);
  EXPECT_EQ(ejections(Detector::consecutive_failures), 3U);
  EXPECT_EQ(cluster->ejections().out(), 0U);
}

TEST_F(ClusterOutliersTest, place_of_an_ejected_one_is_free_again_when_it_has_recovered) {
  use_failure_percentage(5);
  fail(backend(0));
  judge();
  fail(backend(1));
  judge();
  ASSERT_EQ(breaker_state(backend(1)), kIn);
  recover(backend(0));
  EXPECT_EQ(cluster->ejections().out(), 0U);
  fail(backend(1));
  judge();
  EXPECT_EQ(breaker_state(backend(1)), kEjected);
}

TEST_F(ClusterOutliersTest, failed_trial_keeps_the_place) {
  use_failure_percentage(5);
  fail(backend(0));
  judge();
  now = transitions.back().retry_at.value();
  connect(backend(0), ConnectOutcome::refused);
  EXPECT_EQ(cluster->ejections().out(), 1U);
}

// --- early close
// -----------------------------------------------------------------------------------

TEST_F(ClusterOutliersTest, early_closes_in_a_row_eject) {
  use_early_close(2);
  early_close_times(4, backend(0));
  EXPECT_EQ(breaker_state(backend(0)), kIn);
  early_close(backend(0));
  EXPECT_EQ(breaker_state(backend(0)), kEjected);
  EXPECT_EQ(open_period(), seconds(30));
  EXPECT_EQ(told(), (Lines{"breaker closed->open: 5 connections in a row ended before their first "
                           "byte"}));
  EXPECT_EQ(ejections(Detector::early_close), 1U);
}

TEST_F(ClusterOutliersTest, early_close_of_one_is_said_in_the_singular) {
  use_early_close(2, 1);
  early_close(backend(0));
  EXPECT_EQ(told(), (Lines{"breaker closed->open: 1 connection ended before its first byte"}));
}

TEST_F(ClusterOutliersTest, any_byte_ends_the_row) {
  use_early_close(2);
  for (int i = 0; i < 10; ++i) {
    early_close_times(4, backend(0));
    speak(backend(0));
  }
  EXPECT_EQ(breaker_state(backend(0)), kIn);
}

TEST_F(ClusterOutliersTest, byte_of_a_connection_that_no_breaker_let_through_ends_no_row) {
  settings.circuit_breaker.is_enabled = false;
  use_early_close(2);
  const auto older = snapshot;
  const Permit without = admit(backend(0)).value();
  settings.circuit_breaker.is_enabled = true;
  apply(backend_settings_of(2));
  early_close_times(4, backend(0));
  cluster->record_first_byte(*older, backend(0), without);
  backend(0).remove_connection();
  early_close(backend(0));
  EXPECT_EQ(breaker_state(backend(0)), kEjected);
}

TEST_F(ClusterOutliersTest, early_closes_mean_nothing_while_the_detector_is_off) {
  use_failure_percentage(2);
  early_close_times(100, backend(0));
  EXPECT_EQ(breaker_state(backend(0)), kIn);
}

TEST_F(ClusterOutliersTest, refused_early_close_is_counted_and_tried_again_with_the_next) {
  use_early_close(2);
  early_close_times(5, backend(0));
  early_close_times(7, backend(1));
  EXPECT_EQ(breaker_state(backend(1)), kIn);
  EXPECT_EQ(refusals(Detector::early_close), 3U);
  recover(backend(0));
  early_close(backend(1));
  EXPECT_EQ(breaker_state(backend(1)), kEjected);
}

TEST_F(ClusterOutliersTest, trial_is_judged_by_its_connect_and_not_by_an_early_close) {
  use_early_close(2, 1);
  early_close(backend(0));
  now = transitions.back().retry_at.value();
  early_close(backend(0));
  EXPECT_EQ(breaker_state(backend(0)), kIn);
  early_close(backend(0));
  EXPECT_EQ(breaker_state(backend(0)), kEjected);
}

TEST_F(ClusterOutliersTest, early_close_of_a_session_from_before_the_ejection_changes_nothing) {
  use_early_close(2, 1);
  const Permit before = admit(backend(0)).value();
  early_close(backend(0));
  cluster->record_early_close(*snapshot, backend(0), before, now, random);
  recover(backend(0));
  cluster->record_early_close(*snapshot, backend(0), before, now, random);
  EXPECT_EQ(breaker_state(backend(0)), kIn);
  EXPECT_EQ(refusals(Detector::early_close), 0U);
}

}  // namespace
}  // namespace sluice
