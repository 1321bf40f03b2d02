// What outlier detection remembers of a backend: the penalty for opening again and again, and what
// a reload keeps and forgets.
#include <functional>

#include "outliers_rig.h"

namespace sluice {
namespace {

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
