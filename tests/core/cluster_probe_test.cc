// How probes move health, take the trial of a breaker and bring it forward.
#include "support.h"

namespace sluice {
namespace {

class ClusterProbeTest : public ClusterTest {
 protected:
  ClusterProbeTest() { apply(backend_settings_of(2)); }
};

TEST_F(ClusterProbeTest, health_is_told_with_its_reasons) {
  probe(backend(0), true);
  probe(backend(0), false);
  probe(backend(0), false);
  probe(backend(0), false, "timeout");
  probe(backend(0), true);
  probe(backend(0), true);
  probe(backend(1), false, "mismatch");
  EXPECT_EQ(told(), (Lines{"health unknown->healthy: first probe passed",
                           "health healthy->unhealthy: 3 probes in a row failed, last: timeout",
                           "health unhealthy->healthy: 2 probes in a row passed",
                           "health unknown->unhealthy: first probe failed: mismatch"}));
}

TEST_F(ClusterProbeTest, inconclusive_probe_changes_nothing) {
  for (int i = 0; i < 10; ++i) {
    cluster->record_probe(backend(0),
                          {.began_at = now,
                           .passed = false,
                           .result = "local_error",
                           .permit = std::nullopt,
                           .is_inconclusive = true},
                          now);
  }
  EXPECT_EQ(backend(0).health(), Health::unknown);
  EXPECT_TRUE(transitions.empty());
}

TEST_F(ClusterProbeTest, probe_takes_the_trial_of_an_idle_backend) {
  trip(backend(0));
  now += seconds(30);
  probe(backend(0), true);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::closed);
  EXPECT_EQ(told().back(), "breaker half_open->closed: trial succeeded");
}

TEST_F(ClusterProbeTest, failed_probe_with_the_trial_opens_it_for_longer) {
  trip(backend(0));
  now += seconds(30);
  probe(backend(0), false, "mismatch");
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::open);
  EXPECT_EQ(transitions.back().why, "trial failed: mismatch");
  EXPECT_EQ(transitions.back().retry_at, now + seconds(60));
}

TEST_F(ClusterProbeTest, inconclusive_probe_gives_the_trial_back) {
  trip(backend(0));
  now += seconds(30);
  cluster->record_probe(backend(0),
                        {.began_at = now,
                         .passed = false,
                         .result = "local_error",
                         .permit = cluster->admit_probe(backend(0), now),
                         .is_inconclusive = true},
                        now);
  EXPECT_TRUE(connect(backend(0), ConnectOutcome::connected));
}

TEST_F(ClusterProbeTest, probe_gets_no_trial_that_a_client_has) {
  trip(backend(0));
  now += seconds(30);
  ASSERT_TRUE(admit(backend(0)));
  EXPECT_FALSE(cluster->admit_probe(backend(0), now));
  probe(backend(0), true);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::half_open);
}

TEST_F(ClusterProbeTest, probe_gets_no_permit_from_a_closed_breaker) {
  EXPECT_FALSE(cluster->admit_probe(backend(0), now));
}

TEST_F(ClusterProbeTest, passed_probes_since_it_opened_make_it_half_open_early) {
  trip(backend(0));
  now += seconds(1);
  probe(backend(0), true);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::open);
  now += seconds(1);
  probe(backend(0), true);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::half_open);
  EXPECT_EQ(told().back(), "breaker open->half_open: 2 probes in a row passed since it opened");
  probe(backend(0), true);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::closed);
  cluster->announce_half_open(now);
  EXPECT_EQ(told(), (Lines{"breaker half_open->closed: trial succeeded"}));
}

TEST_F(ClusterProbeTest, client_may_take_the_early_trial) {
  trip(backend(0));
  now += seconds(1);
  probe(backend(0), true);
  probe(backend(0), true);
  EXPECT_TRUE(connect(backend(0), ConnectOutcome::connected));
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::closed);
}

TEST_F(ClusterProbeTest, probe_that_began_before_the_opening_does_not_bring_the_trial_forward) {
  const TimePoint before = now;
  now += seconds(1);
  trip(backend(0));
  now += seconds(1);
  for (int i = 0; i < 5; ++i) {
    cluster->record_probe(
        backend(0),
        {.began_at = before, .passed = true, .result = "passed", .permit = std::nullopt}, now);
  }
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::open);
}

TEST_F(ClusterProbeTest, early_trial_can_be_switched_off) {
  settings.circuit_breaker.early_trial = false;
  apply(backend_settings_of(2));
  trip(backend(0));
  now += seconds(1);
  for (int i = 0; i < 10; ++i) probe(backend(0), true);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::open);
}

TEST_F(ClusterProbeTest, probe_to_another_port_brings_the_trial_forward_but_never_is_it) {
  trip(backend(0));
  now += seconds(1);
  for (int i = 0; i < 10; ++i) probe_aside(backend(0), true);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::half_open);
  for (int i = 0; i < 10; ++i) probe_aside(backend(0), false);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::half_open);
  EXPECT_EQ(backend(0).breaker().opens(), 1U);
}

TEST_F(ClusterProbeTest, probe_of_a_backend_that_a_reload_removed_harms_nobody) {
  const auto removed = snapshot->levels[0].backends[1];
  apply(backend_settings_of(1));
  cluster->record_probe(
      *removed, {.began_at = now, .passed = true, .result = "passed", .permit = std::nullopt}, now);
  apply(backend_settings_of(2), Arrival::later);
  EXPECT_TRUE(admits(backend(1))) << "the removed one's health makes nobody wait";
}

}  // namespace
}  // namespace sluice
