// A cluster with outlier detection and breakers that open for nothing else, for the tests of it.
#pragma once

#include "support.h"

namespace sluice {

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

inline constexpr auto kEjected = BreakerState::open;
inline constexpr auto kIn = BreakerState::closed;

}  // namespace sluice
