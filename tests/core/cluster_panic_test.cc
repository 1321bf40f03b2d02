// Panic: too few usable backends of a priority, so probes are ignored there; a breaker never is.
#include "support.h"

namespace sluice {
namespace {

class ClusterPanicTest : public ClusterTest {
 protected:
  ClusterPanicTest() { apply_with_threshold(50); }

  void apply_with_threshold(double percent) {
    settings.panic_threshold = percent;
    auto backends = backend_settings_of(4);
    backends.push_back(backend_settings(5, 1, 7));
    apply(backends);
  }
  void make_unhealthy(size_t count) {
    for (size_t i = 0; i < count; ++i) probe(backend(i), false);
    transitions_of_health_forgotten();
  }
  void transitions_of_health_forgotten() {
    std::erase_if(transitions, [](const Transition& transition) {
      return transition.kind == Transition::Kind::health;
    });
  }
};

TEST_F(ClusterPanicTest, at_the_threshold_there_is_none) {
  make_unhealthy(2);
  EXPECT_FALSE(admits(backend(0)));
  EXPECT_TRUE(transitions.empty());
}

TEST_F(ClusterPanicTest, below_the_threshold_probes_are_ignored) {
  make_unhealthy(3);
  EXPECT_TRUE(admits(backend(0)));
  EXPECT_EQ(transitions.at(0).backend, "priority 0");
  EXPECT_EQ(told(), (Lines{"panic normal->panic: 1 of 4 ready backends are healthy or unknown"}));
  EXPECT_EQ(cluster->panics_now(), 1U);
}

TEST_F(ClusterPanicTest, ends_when_enough_are_healthy_again) {
  make_unhealthy(3);
  told();
  probe(backend(0), true);
  probe(backend(0), true);
  EXPECT_FALSE(admits(backend(1)));
  EXPECT_EQ(told().back(), "panic panic->normal: 2 of 4 ready backends are healthy or unknown");
}

TEST_F(ClusterPanicTest, is_told_and_counted_once_however_many_turn_unhealthy_in_it) {
  make_unhealthy(4);
  EXPECT_EQ(told().size(), 1U);
  probe(backend(4), false);  // the other priority
  EXPECT_EQ(cluster->panics_now(), 2U);
  EXPECT_EQ(cluster->panics(), 2U);
  for (size_t i = 0; i < 4; ++i) {
    for (int round = 0; round < 2; ++round) probe(backend(i), true);
  }
  EXPECT_EQ(cluster->panics_now(), 1U);
  for (size_t i = 0; i < 4; ++i) {
    for (int round = 0; round < 3; ++round) probe(backend(i), false);
  }
  EXPECT_EQ(cluster->panics_now(), 2U);
  EXPECT_EQ(cluster->panics(), 3U);
}

TEST_F(ClusterPanicTest, breaker_is_never_ignored) {
  trip(backend(0));
  make_unhealthy(4);
  EXPECT_TRUE(admits(backend(1)));
  EXPECT_FALSE(admits(backend(0)));
}

TEST_F(ClusterPanicTest, administrative_state_is_never_ignored) {
  cluster->set_admin_state(backend(0), AdminState::draining, now);
  make_unhealthy(4);
  EXPECT_TRUE(admits(backend(1)));
  EXPECT_FALSE(admits(backend(0)));
}

TEST_F(ClusterPanicTest, is_a_matter_of_one_priority) {
  probe(backend(4), false);
  EXPECT_TRUE(admits(backend(4))) << "none of priority 7 is usable";
  probe(backend(0), false);
  EXPECT_FALSE(admits(backend(0)));
}

TEST_F(ClusterPanicTest, only_ready_backends_count) {
  for (size_t i = 0; i < 2; ++i) {
    cluster->set_admin_state(backend(i), AdminState::maintenance, now);
  }
  probe(backend(2), false);
  EXPECT_FALSE(admits(backend(2))) << "one of two is half of them";
  cluster->set_admin_state(backend(3), AdminState::draining, now);
  EXPECT_TRUE(admits(backend(2))) << "none of one is below half";
}

TEST_F(ClusterPanicTest, no_ready_backend_at_all_is_no_panic) {
  make_unhealthy(4);
  for (size_t i = 0; i < 4; ++i) {
    cluster->set_admin_state(backend(i), AdminState::maintenance, now);
  }
  EXPECT_EQ(told().back(), "panic panic->normal: 0 of 0 ready backends are healthy or unknown");
}

TEST_F(ClusterPanicTest, is_off_by_default) {
  EXPECT_EQ(ClusterSettings().panic_threshold, 0);
  apply_with_threshold(0);
  make_unhealthy(4);
  EXPECT_FALSE(admits(backend(0)));
  EXPECT_TRUE(transitions.empty());
}

TEST_F(ClusterPanicTest, reload_with_another_threshold_is_felt_at_once_by_older_snapshots_too) {
  make_unhealthy(2);
  const auto older = snapshot;
  apply_with_threshold(75);
  EXPECT_TRUE(cluster->admit(*older, older->levels[0], backend(0), now));
}

TEST_F(ClusterPanicTest, backend_that_waits_for_its_first_probe_is_used_in_panic) {
  auto backends = backend_settings_of(5);
  for (size_t i = 0; i < 3; ++i) probe(backend(i), false);
  probe(backend(3), true);
  apply(backends, Arrival::later);
  EXPECT_TRUE(level_of(backend(4)).in_panic->load());
  EXPECT_TRUE(admits(backend(4)));
}

}  // namespace
}  // namespace sluice
