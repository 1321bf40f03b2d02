// What is kept of a backend over a restart, and what becomes of it afterwards.
#include "sluice/core/saved_state.h"

#include "support.h"

namespace sluice {
namespace {

class SavedStateTest : public ClusterTest {
 protected:
  SavedStateTest() { apply(backend_settings_of(3)); }

  // What is kept of each backend that has something to keep.
  std::vector<SavedBackend> saved() {
    std::vector<SavedBackend> all;
    for (const PriorityLevel& level : snapshot->levels) {
      for (const auto& backend : level.backends) {
        if (auto state = save(*backend)) all.push_back(std::move(*state));
      }
    }
    return all;
  }

  // The process starts again: another cluster, which is told what was kept.
  void restart(const std::vector<BackendSettings>& backends) {
    const std::vector<SavedBackend> kept = saved();
    restart_without_state(backends);
    for (const SavedBackend& backend : kept) cluster->restore(backend, now);
  }
  void restart_without_state(const std::vector<BackendSettings>& backends) {
    cluster = std::make_shared<Cluster>(
        "web", [this](Transition transition) { transitions.push_back(std::move(transition)); },
        Random(3));
    transitions.clear();
    apply(backends);
  }
};

TEST_F(SavedStateTest, nothing_is_kept_of_backends_that_are_as_configured) {
  probe(backend(0), true);
  EXPECT_TRUE(saved().empty());
}

TEST_F(SavedStateTest, open_breaker_stays_open_until_its_time) {
  trip(backend(0));
  now += seconds(10);
  restart(backend_settings_of(3));
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::open);
  EXPECT_FALSE(admits(backend(0)));
  EXPECT_EQ(transitions.at(0).retry_at, now + seconds(20));
  EXPECT_EQ(told(), (Lines{"breaker closed->open: as it was before the restart"}));
  now += seconds(20);
  EXPECT_TRUE(connect(backend(0), ConnectOutcome::connected));
  EXPECT_EQ(told(), (Lines{"breaker open->half_open: reopening time has come",
                           "breaker half_open->closed: trial succeeded"}));
}

TEST_F(SavedStateTest, without_state_it_is_closed) {
  trip(backend(0));
  restart_without_state(backend_settings_of(3));
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::closed);
}

TEST_F(SavedStateTest, doubling_is_kept) {
  trip(backend(0));
  now += seconds(30);
  connect(backend(0), ConnectOutcome::refused);
  restart(backend_settings_of(3));
  EXPECT_EQ(backend(0).breaker().reopens_at(), now + seconds(60));
  now += seconds(60);
  connect(backend(0), ConnectOutcome::refused);
  EXPECT_EQ(backend(0).breaker().reopens_at(), now + seconds(120));
}

TEST_F(SavedStateTest, breaker_whose_time_has_come_meanwhile_is_half_open) {
  trip(backend(0));
  const auto kept = saved();
  restart_without_state(backend_settings_of(3));
  now += minutes(2);
  cluster->restore(kept.at(0), now);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::half_open);
  const auto permit = admit(backend(0));
  ASSERT_TRUE(permit);
  EXPECT_TRUE(permit->is_trial);
  EXPECT_FALSE(admit(backend(0))) << "one trial";
}

TEST_F(SavedStateTest, half_open_breaker_is_half_open_again_with_a_new_trial) {
  trip(backend(0));
  now += seconds(1);
  probe_aside(backend(0), true);
  probe_aside(backend(0), true);
  ASSERT_EQ(breaker_state(backend(0)), BreakerState::half_open) << "early";
  ASSERT_TRUE(admit(backend(0)));
  restart(backend_settings_of(3));
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::half_open);
  EXPECT_TRUE(admits(backend(0)));
}

TEST_F(SavedStateTest, remaining_time_is_at_most_the_configured_maximum) {
  trip(backend(0));
  auto kept = saved().at(0);
  kept.breaker->reopens_at = now + std::chrono::hours(1000);
  kept.breaker->failed_trials = 4'000'000'000;
  restart_without_state(backend_settings_of(3));
  cluster->restore(kept, now);
  EXPECT_EQ(backend(0).breaker().reopens_at(), now + settings.circuit_breaker.max_recovery_timeout);
  now += settings.circuit_breaker.max_recovery_timeout;
  connect(backend(0), ConnectOutcome::refused);
  EXPECT_EQ(backend(0).breaker().reopens_at(), now + settings.circuit_breaker.max_recovery_timeout);
}

TEST_F(SavedStateTest, breaker_that_opened_meanwhile_is_left_alone) {
  trip(backend(0));
  auto kept = saved().at(0);
  kept.breaker->reopens_at = now + seconds(1);
  told();
  cluster->restore(kept, now);
  EXPECT_EQ(backend(0).breaker().reopens_at(), now + seconds(30));
  EXPECT_TRUE(told().empty());
}

TEST_F(SavedStateTest, restored_breaker_counts_in_the_shares) {
  apply({backend_settings(1), backend_settings(2), backend_settings(3, 1, 1)});
  trip(backend(0));
  restart({backend_settings(1), backend_settings(2), backend_settings(3, 1, 1)});
  EXPECT_LT(snapshot->levels[0].share_up_to->load(), kWholeShare);
}

TEST_F(SavedStateTest, unhealthy_stands_until_the_first_probe) {
  probe(backend(0), false);
  restart(backend_settings_of(3));
  EXPECT_FALSE(admits(backend(0)));
  EXPECT_TRUE(admits(backend(1))) << "unknown";
  EXPECT_EQ(told(), (Lines{"health unknown->unhealthy: as it was before the restart"}));
  probe(backend(0), true);
  EXPECT_EQ(backend(0).health(), Health::healthy) << "one probe is enough";
  EXPECT_EQ(told(), (Lines{"health unhealthy->healthy: first probe passed"}));
  probe(backend(0), false);
  EXPECT_EQ(backend(0).health(), Health::healthy) << "after that the thresholds decide";
}

TEST_F(SavedStateTest, first_probe_that_fails_leaves_it_to_the_thresholds) {
  probe(backend(0), false);
  restart(backend_settings_of(3));
  told();
  probe(backend(0), false);
  probe(backend(0), true);
  EXPECT_EQ(backend(0).health(), Health::unhealthy);
  probe(backend(0), true);
  EXPECT_EQ(told(), (Lines{"health unhealthy->healthy: 2 probes in a row passed"}));
}

TEST_F(SavedStateTest, healthy_is_not_taken_on_trust) {
  probe(backend(0), true);
  trip(backend(0));
  restart(backend_settings_of(3));
  EXPECT_EQ(backend(0).health(), Health::unknown);
}

TEST_F(SavedStateTest, probe_was_quicker_than_the_state) {
  probe(backend(0), false);
  const auto kept = saved();
  restart_without_state(backend_settings_of(3));
  probe(backend(0), true);
  cluster->restore(kept.at(0), now);
  EXPECT_EQ(backend(0).health(), Health::healthy);
}

TEST_F(SavedStateTest, what_an_operator_set_is_kept) {
  cluster->set_admin_state(backend(0), AdminState::draining, now);
  cluster->set_weight(backend(1), 7, now);
  restart(backend_settings_of(3));
  EXPECT_EQ(backend(0).admin_state(), AdminState::draining);
  EXPECT_EQ(backend(1).weight(), 7U);
  EXPECT_EQ(saved().size(), 2U) << "and kept on";
}

TEST_F(SavedStateTest, configuration_that_changed_meanwhile_wins) {
  for (size_t i = 0; i < 2; ++i) {
    cluster->set_admin_state(backend(i), AdminState::draining, now);
    cluster->set_weight(backend(i), 7, now);
  }
  auto changed = backend_settings_of(3);
  changed[0].admin_state = AdminState::maintenance;
  changed[1].weight = 5;
  restart(changed);
  EXPECT_EQ(backend(0).admin_state(), AdminState::maintenance);
  EXPECT_EQ(backend(0).weight(), 7U) << "each for itself";
  EXPECT_EQ(backend(1).admin_state(), AdminState::draining);
  EXPECT_EQ(backend(1).weight(), 5U);
}

TEST_F(SavedStateTest, other_address_of_the_same_name_is_another_backend) {
  trip(backend(0));
  auto moved = backend_settings_of(3);
  moved[0].address = Address::ipv4({10, 9, 9, 9}, 80);
  restart(moved);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::closed);
  EXPECT_TRUE(transitions.empty());
}

TEST_F(SavedStateTest, backend_that_is_gone_is_ignored) {
  trip(backend(2));
  const auto kept = saved();
  restart_without_state(backend_settings_of(2));
  EXPECT_FALSE(cluster->restore(kept.at(0), now));
}

TEST_F(SavedStateTest, what_is_off_is_not_restored) {
  trip(backend(0));
  probe_aside(backend(0), false);
  settings.circuit_breaker.is_enabled = settings.has_probes = false;
  restart(backend_settings_of(3));
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::closed);
  EXPECT_EQ(backend(0).health(), Health::unknown);
  EXPECT_TRUE(transitions.empty());
}

// Of four backends the first has been ejected for an early close.
class SavedEjectionTest : public SavedStateTest {
 protected:
  SavedEjectionTest() {
    settings.has_probes = false;
    OutlierSettings& outliers = settings.outlier_detection;
    outliers.is_enabled = true;
    outliers.early_close = {.is_enabled = true, .threshold = 1};
    outliers.max_ejected = 25;
    outliers.base_ejection = minutes(7);
    outliers.max_ejection = minutes(20);
    apply(backend_settings_of(4));
    eject(backend(0));
  }

  void eject(Backend& wanted) {
    cluster->record_early_close(*snapshot, wanted, admit(wanted).value(), now, random);
    wanted.remove_connection();
  }
  void restart_as_it_is() { restart(backend_settings_of(4)); }
};

TEST_F(SavedEjectionTest, ejection_is_one_again_for_the_rest_of_its_time) {
  now += minutes(1);
  restart_as_it_is();
  EXPECT_EQ(backend(0).breaker().reopens_at(), now + minutes(6)) << "beyond the breaker's maximum";
  EXPECT_EQ(backend(0).outlier_watch()->ejected_by, Detector::early_close);
  EXPECT_EQ(told(), (Lines{"breaker closed->open: as it was before the restart: ejected by "
                           "early_close"}));
  now += minutes(6);
  ASSERT_TRUE(connect(backend(0), ConnectOutcome::refused));
  EXPECT_EQ(backend(0).breaker().reopens_at(), now + minutes(14)) << "an ejection's doubling";
}

TEST_F(SavedEjectionTest, it_counts_against_the_cap_until_it_is_back) {
  restart_as_it_is();
  EXPECT_EQ(cluster->ejections().out(), 1U);
  eject(backend(1));
  EXPECT_EQ(breaker_state(backend(1)), BreakerState::closed);
  now = backend(0).breaker().reopens_at().value();
  ASSERT_TRUE(connect(backend(0), ConnectOutcome::connected));
  EXPECT_EQ(cluster->ejections().out(), 0U);
  eject(backend(1));
  EXPECT_EQ(breaker_state(backend(1)), BreakerState::open);
}

TEST_F(SavedEjectionTest, it_is_kept_over_a_second_restart) {
  restart_as_it_is();
  restart_as_it_is();
  EXPECT_EQ(backend(0).outlier_watch()->ejected_by, Detector::early_close);
}

TEST_F(SavedEjectionTest, detector_that_is_off_meanwhile_ejects_nobody) {
  for (bool* setting : {&settings.outlier_detection.early_close.is_enabled,
                        &settings.outlier_detection.is_enabled}) {
    *setting = false;
    restart_as_it_is();
    EXPECT_EQ(breaker_state(backend(0)), BreakerState::closed);
    EXPECT_EQ(cluster->ejections().out(), 0U);
    EXPECT_TRUE(transitions.empty());
    *setting = true;
    restart_as_it_is();  // with nothing to keep any more
    eject(backend(0));
  }
}

TEST_F(SavedEjectionTest, cap_that_is_lower_meanwhile_lets_in_who_is_beyond_it) {
  settings.outlier_detection.max_ejected = 50;
  apply(backend_settings_of(4));
  eject(backend(1));
  ASSERT_EQ(cluster->ejections().out(), 2U);
  settings.outlier_detection.max_ejected = 25;
  restart_as_it_is();
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::open);
  EXPECT_EQ(breaker_state(backend(1)), BreakerState::closed);
  EXPECT_EQ(cluster->ejections().out(), 1U);
}

TEST_F(SavedEjectionTest, last_available_one_is_kept_in) {
  restart(backend_settings_of(1));
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::closed);
  EXPECT_EQ(cluster->ejections().out(), 0U);
}

TEST_F(SavedEjectionTest, breaker_that_opened_meanwhile_is_no_ejection) {
  const auto kept = saved();
  restart_without_state(backend_settings_of(4));
  trip(backend(0));
  cluster->restore(kept.at(0), now);
  EXPECT_EQ(backend(0).outlier_watch()->ejected_by, Detector::none);
  EXPECT_EQ(cluster->ejections().out(), 0U);
}

}  // namespace
}  // namespace sluice
