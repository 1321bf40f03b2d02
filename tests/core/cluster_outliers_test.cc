// Outlier detection as the cluster does it: who is ejected, for how long, and what is refused.
#include <functional>

#include "support.h"

namespace sluice {
namespace {

class ClusterOutliersTest : public ClusterTest {
 protected:
  ClusterOutliersTest() {
    settings.outlier_detection.is_enabled = true;
    settings.circuit_breaker.failure_threshold = 1000;
    settings.has_probes = false;
  }

  OutlierSettings& outliers() { return settings.outlier_detection; }

  void use_failure_percentage(size_t backends) {
    outliers().failure_percentage = {.is_enabled = true, .threshold = 50, .min_volume = 10};
    apply(backend_settings_of(backends));
  }
  void use_early_close(size_t backends, uint32_t threshold = 5) {
    outliers().early_close = {.is_enabled = true, .threshold = threshold};
    apply(backend_settings_of(backends));
  }

  // Enough for failure_percentage.
  void fail(Backend& bad) { connect_times(10, bad, ConnectOutcome::refused); }
  void judge() { cluster->judge_outliers(now); }

  // A connection that was established and ended by the backend before its first byte.
  void early_close(Backend& bad) {
    const auto permit = admit(bad);
    if (!permit) return;
    cluster->record_connect(*snapshot, bad, *permit, ConnectOutcome::connected, now, random);
    cluster->record_early_close(*snapshot, bad, *permit, now, random);
    bad.remove_connection();
  }
  void early_close_times(uint32_t times, Backend& bad) {
    for (uint32_t i = 0; i < times; ++i) early_close(bad);
  }
  // One that said something.
  void speak(Backend& good) {
    const auto permit = admit(good);
    cluster->record_connect(*snapshot, good, permit.value(), ConnectOutcome::connected, now,
                            random);
    cluster->record_first_byte(*snapshot, good, *permit);
    good.remove_connection();
  }

  // The trial of an open breaker, when its time has come.
  void recover(Backend& ejected) {
    now = ejected.breaker().reopens_at().value();
    ASSERT_TRUE(connect(ejected, ConnectOutcome::connected));
    ASSERT_EQ(breaker_state(ejected), BreakerState::closed);
  }
  Duration open_period() { return transitions.back().retry_at.value() - now; }

  uint64_t ejections(Detector detector) { return cluster->ejections().ejections(detector); }
  uint64_t refusals(Detector detector) { return cluster->ejections().refusals(detector); }
};

constexpr auto kEjected = BreakerState::open;
constexpr auto kIn = BreakerState::closed;

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

// --- the penalty
// -----------------------------------------------------------------------------------

TEST_F(ClusterOutliersTest, each_opening_doubles_the_next_open_period_up_to_the_maximum) {
  settings.circuit_breaker.failure_threshold = 5;
  apply(backend_settings_of(2));
  for (const int expected : {30, 60, 120, 240, 300, 300}) {
    trip(backend(0));
    EXPECT_EQ(open_period(), seconds(expected));
    recover(backend(0));
  }
}

TEST_F(ClusterOutliersTest, without_outlier_detection_no_opening_doubles_the_next) {
  outliers().is_enabled = false;
  settings.circuit_breaker.failure_threshold = 5;
  apply(backend_settings_of(2));
  for (int i = 0; i < 4; ++i) {
    trip(backend(0));
    EXPECT_EQ(open_period(), seconds(30));
    recover(backend(0));
  }
}

TEST_F(ClusterOutliersTest, failed_trials_double_from_where_the_penalty_has_begun) {
  settings.circuit_breaker.failure_threshold = 5;
  apply(backend_settings_of(2));
  trip(backend(0));
  recover(backend(0));
  trip(backend(0));
  now = transitions.back().retry_at.value();
  connect(backend(0), ConnectOutcome::refused);
  EXPECT_EQ(open_period(), seconds(120));
}

TEST_F(ClusterOutliersTest, ejections_and_the_breaker_s_own_openings_add_up) {
  use_early_close(2, 1);
  early_close(backend(0));
  recover(backend(0));
  connect_times(1000, backend(0), ConnectOutcome::refused);
  EXPECT_EQ(open_period(), seconds(60));
  recover(backend(0));
  early_close(backend(0));
  EXPECT_EQ(open_period(), seconds(120));
}

TEST_F(ClusterOutliersTest, proven_health_takes_a_doubling_back_and_time_alone_does_not) {
  settings.circuit_breaker.failure_threshold = 5;
  apply(backend_settings_of(2));
  for (const int expected : {30, 60}) {
    trip(backend(0));
    EXPECT_EQ(open_period(), seconds(expected));
    recover(backend(0));
  }
  now += std::chrono::hours(100);
  trip(backend(0));
  EXPECT_EQ(open_period(), seconds(120));
  recover(backend(0));
  for (uint32_t i = 0; i < FlapPenalty::kProofs; ++i) {
    connect(backend(0), ConnectOutcome::connected);
    now += seconds(2);
  }
  trip(backend(0));
  EXPECT_EQ(open_period(), seconds(120)) << "240 without the proof";
}

TEST_F(ClusterOutliersTest, passed_probes_prove_health_too) {
  settings.has_probes = true;
  settings.circuit_breaker.early_trial = false;
  settings.circuit_breaker.failure_threshold = 5;
  apply(backend_settings_of(2));
  trip(backend(0));
  for (uint32_t i = 0; i < 1000; ++i) probe_aside(backend(0), true);  // while open: no proof
  recover(backend(0));
  EXPECT_EQ(backend(0).outlier_watch()->penalty.doublings(), 1U);
  for (uint32_t i = 0; i < FlapPenalty::kProofs; ++i) {
    now += seconds(2);
    probe(backend(0), true);
  }
  EXPECT_EQ(backend(0).outlier_watch()->penalty.doublings(), 0U);
}

TEST_F(ClusterOutliersTest, failed_connect_probe_or_early_close_begins_the_proof_anew) {
  settings.has_probes = true;
  settings.circuit_breaker.failure_threshold = 5;
  use_early_close(2);
  const std::vector<std::function<void()>> bad_signs = {
      [&] { connect(backend(0), ConnectOutcome::refused); }, [&] { probe(backend(0), false); },
      [&] { early_close(backend(0)); }, [] {},  // the control
  };
  for (size_t i = 0; i < bad_signs.size(); ++i) {
    OutlierWatch& watch = *backend(0).outlier_watch();
    watch.penalty.forget();
    watch.penalty.opened();
    for (uint32_t sign = 0; sign < FlapPenalty::kProofs; ++sign) {
      if (sign == 10) bad_signs[i]();
      now += seconds(2);
      probe(backend(0), true);
    }
    EXPECT_EQ(watch.penalty.doublings(), i + 1 == bad_signs.size() ? 0U : 1U) << i;
  }
}

TEST_F(ClusterOutliersTest, backend_that_opens_again_is_not_tried_early) {
  settings.has_probes = true;
  settings.circuit_breaker.failure_threshold = 5;
  apply(backend_settings_of(2));
  const auto probe_a_while = [&] {
    for (int i = 0; i < 3; ++i) {
      now += seconds(1);
      probe_aside(backend(0), true);
    }
  };
  trip(backend(0));
  probe_a_while();
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::half_open) << "a quick restart";
  connect(backend(0), ConnectOutcome::connected);
  trip(backend(0));
  probe_a_while();
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::open);
}

// --- reload
// ----------------------------------------------------------------------------------------

TEST_F(ClusterOutliersTest, reload_with_the_same_settings_keeps_windows_rows_and_penalties) {
  use_early_close(3);
  use_failure_percentage(3);
  connect_times(9, backend(0), ConnectOutcome::refused);
  early_close_times(4, backend(1));
  apply(backend_settings_of(3));
  connect(backend(0), ConnectOutcome::refused);
  judge();
  EXPECT_EQ(breaker_state(backend(0)), kEjected);
  recover(backend(0));
  early_close(backend(1));
  EXPECT_EQ(breaker_state(backend(1)), kEjected);
}

TEST_F(ClusterOutliersTest, another_window_or_switching_off_and_on_forgets) {
  use_early_close(3);
  use_failure_percentage(3);
  const std::vector<std::function<void()>> changes = {
      [&] { outliers().window = seconds(20); },
      [&] { outliers().is_enabled = false; },
      [&] { outliers().failure_percentage.is_enabled = false; },
  };
  for (const auto& change : changes) {
    const OutlierSettings before = outliers();
    fail(backend(0));
    change();
    apply(backend_settings_of(3));
    outliers() = before;
    apply(backend_settings_of(3));
    judge();
    EXPECT_EQ(breaker_state(backend(0)), kIn);
  }
  early_close_times(4, backend(1));
  outliers().early_close.is_enabled = false;
  apply(backend_settings_of(3));
  outliers().early_close.is_enabled = true;
  apply(backend_settings_of(3));
  early_close_times(4, backend(1));
  EXPECT_EQ(breaker_state(backend(1)), kIn);
}

TEST_F(ClusterOutliersTest, switching_a_detector_off_ends_its_ejections) {
  use_early_close(3, 1);
  early_close(backend(0));
  told();
  outliers().early_close.is_enabled = false;
  outliers().failure_percentage.is_enabled = true;
  apply(backend_settings_of(3));
  EXPECT_EQ(told(), Lines{"breaker open->closed: early_close is off"});
  EXPECT_EQ(cluster->ejections().out(), 0U);
}

TEST_F(ClusterOutliersTest, switching_all_off_ends_ejections_and_leaves_the_breaker_s_own) {
  settings.circuit_breaker.failure_threshold = 5;
  use_early_close(3, 1);
  early_close(backend(0));
  trip(backend(1));
  told();
  outliers().is_enabled = false;
  apply(backend_settings_of(3));
  EXPECT_EQ(told(), Lines{"breaker open->closed: outlier_detection is off"});
  EXPECT_EQ(breaker_state(backend(1)), BreakerState::open);
}

TEST_F(ClusterOutliersTest, ejection_under_an_older_snapshot_ends_once_it_is_off) {
  use_early_close(3, 1);
  const auto older = snapshot;
  outliers().is_enabled = false;
  apply(backend_settings_of(3));
  cluster->record_early_close(*older, backend(0), admit(backend(0)).value(), now, random);
  ASSERT_EQ(breaker_state(backend(0)), kEjected);
  cluster->announce_half_open(now);
  EXPECT_EQ(breaker_state(backend(0)), kIn);
  EXPECT_EQ(cluster->ejections().out(), 0U);
}

TEST_F(ClusterOutliersTest, removed_backend_gives_its_place_back) {
  use_failure_percentage(5);
  fail(backend(0));
  judge();
  std::weak_ptr<Backend> removed = snapshot->levels[0].backends[0];
  auto backends = backend_settings_of(5);
  backends.erase(backends.begin());
  apply(backends);
  EXPECT_TRUE(removed.expired()) << "with everything that was kept of it";
  EXPECT_EQ(cluster->ejections().out(), 0U);
  fail(backend(0));
  judge();
  EXPECT_EQ(breaker_state(backend(0)), kEjected);
}

TEST_F(ClusterOutliersTest, removed_backend_takes_no_place) {
  use_early_close(3, 1);
  const auto older = snapshot;
  const Permit permit = admit(backend(0)).value();
  Backend& removed = backend(0);
  auto backends = backend_settings_of(3);
  backends.erase(backends.begin());
  apply(backends);
  cluster->record_early_close(*older, removed, permit, now, random);
  EXPECT_EQ(cluster->ejections().out(), 0U);
  EXPECT_TRUE(told().empty());
}

}  // namespace
}  // namespace sluice
