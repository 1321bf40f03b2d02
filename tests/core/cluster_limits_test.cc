// How many connections there may be: per backend and of the cluster, never exceeded, nobody's
// fault.
#include <algorithm>

#include "support.h"

namespace sluice {
namespace {

class ClusterLimitsTest : public ClusterTest {
 protected:
  void limit(std::optional<uint32_t> of_cluster, std::optional<uint32_t> of_backend) {
    settings.limits = {.of_cluster = of_cluster, .of_backend = of_backend};
    apply(backend_settings_of(2));
  }

  Obstacle obstacle(Backend& wanted) {
    const auto admission = cluster->admit(*snapshot, level_of(wanted), wanted, now);
    EXPECT_FALSE(admission);
    return admission ? Obstacle::tried : admission.error();
  }

  tl::expected<Lease, Picker::Refusal> pick(const TriedBackends& tried = {}) {
    return Picker(snapshot, random).pick({.tried = tried, .now = now, .client = {}});
  }

  Picker::Refusal refusal(const TriedBackends& tried = {}) {
    const auto lease = pick(tried);
    EXPECT_FALSE(lease);
    return lease ? Picker::Refusal::unavailable : lease.error();
  }

  uint32_t all_connections() {
    return backend(0).active_connections() + backend(1).active_connections();
  }
};

TEST_F(ClusterLimitsTest, without_limits_there_may_be_any_number) {
  limit(std::nullopt, std::nullopt);
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(admit(backend(0)));
  EXPECT_EQ(cluster->active_connections(), 1000U);
}

TEST_F(ClusterLimitsTest, backend_takes_as_many_as_it_may_and_not_one_more) {
  limit(std::nullopt, 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(admit(backend(0)));
  EXPECT_EQ(obstacle(backend(0)), Obstacle::limit);
  EXPECT_EQ(backend(0).active_connections(), 3U);
  EXPECT_EQ(cluster->active_connections(), 3U) << "what was reserved is given back";
  EXPECT_TRUE(admit(backend(1))) << "the limit is each one's own";
  backend(0).remove_connection();
  EXPECT_TRUE(admit(backend(0)));
}

TEST_F(ClusterLimitsTest, limit_of_the_cluster_is_of_all_backends_together) {
  limit(3, std::nullopt);
  EXPECT_TRUE(admit(backend(0)));
  EXPECT_TRUE(admit(backend(0)));
  EXPECT_TRUE(admit(backend(1)));
  EXPECT_EQ(obstacle(backend(0)), Obstacle::limit);
  EXPECT_EQ(obstacle(backend(1)), Obstacle::limit);
  EXPECT_EQ(all_connections(), 3U);
  backend(0).remove_connection();
  EXPECT_TRUE(admit(backend(1))) << "a place is not a backend's";
}

TEST_F(ClusterLimitsTest, refusal_of_the_breaker_gives_both_places_back) {
  limit(1, 1);
  trip(backend(0));
  now += seconds(30);
  const auto trial = cluster->admit_probe(backend(0), now);
  ASSERT_TRUE(trial);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(obstacle(backend(0)), Obstacle::breaker);
  EXPECT_EQ(cluster->active_connections(), 0U);
  EXPECT_EQ(all_connections(), 0U);
  EXPECT_TRUE(admit(backend(1)));
}

TEST_F(ClusterLimitsTest, trial_is_not_taken_by_who_is_over_the_limit) {
  limit(1, std::nullopt);
  trip(backend(0));
  now += seconds(30);
  ASSERT_TRUE(admit(backend(1)));
  EXPECT_EQ(obstacle(backend(0)), Obstacle::limit);
  EXPECT_TRUE(cluster->admit_probe(backend(0), now)) << "the trial is still there";
}

TEST_F(ClusterLimitsTest, connections_from_before_a_reload_count) {
  limit(std::nullopt, std::nullopt);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(admit(backend(0)));
  limit(4, std::nullopt);
  EXPECT_EQ(obstacle(backend(1)), Obstacle::limit);
  limit(std::nullopt, 4);
  EXPECT_EQ(obstacle(backend(0)), Obstacle::limit);
  EXPECT_TRUE(admits(backend(1)));
}

TEST_F(ClusterLimitsTest, connections_of_a_removed_backend_count_until_they_end) {
  limit(2, std::nullopt);
  auto old = pick();
  ASSERT_TRUE(old);
  auto other = pick();
  ASSERT_TRUE(other);
  settings.limits.of_cluster = 2;
  apply({backend_settings(7), backend_settings(8)}, Arrival::later);
  EXPECT_EQ(obstacle(backend(0)), Obstacle::limit);
  old->release();
  EXPECT_TRUE(admit(backend(0)));
  EXPECT_EQ(obstacle(backend(1)), Obstacle::limit);
}

TEST_F(ClusterLimitsTest, limit_below_what_there_is_ends_nobody_and_lets_nobody_in) {
  limit(std::nullopt, 5);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(admit(backend(0)));
  limit(3, 2);
  EXPECT_EQ(backend(0).active_connections(), 5U);
  EXPECT_EQ(obstacle(backend(0)), Obstacle::limit);
  EXPECT_EQ(obstacle(backend(1)), Obstacle::limit);
  while (cluster->active_connections() > 3) backend(0).remove_connection();
  EXPECT_EQ(obstacle(backend(1)), Obstacle::limit);
  backend(0).remove_connection();
  EXPECT_EQ(obstacle(backend(0)), Obstacle::limit) << "two are as many as it may have";
  EXPECT_TRUE(admit(backend(1)));
}

TEST_F(ClusterLimitsTest, other_causes_are_told_before_the_limit) {
  limit(std::nullopt, 1);
  ASSERT_TRUE(admit(backend(0)));
  cluster->set_admin_state(backend(0), AdminState::draining, now);
  EXPECT_EQ(obstacle(backend(0)), Obstacle::administrative);
  cluster->set_admin_state(backend(0), AdminState::ready, now);
  trip(backend(1));
  EXPECT_EQ(obstacle(backend(1)), Obstacle::breaker);
  probe_aside(backend(0), false);
  EXPECT_EQ(obstacle(backend(0)), Obstacle::health);
}

TEST_F(ClusterLimitsTest, refusal_says_whether_waiting_is_of_any_use) {
  limit(std::nullopt, 1);
  ASSERT_TRUE(admit(backend(0)));
  trip(backend(1));
  EXPECT_EQ(refusal(), Picker::Refusal::at_limit) << "the first one's place can become free";
  EXPECT_EQ(refusal({&backend(0)}), Picker::Refusal::at_limit);
  cluster->set_admin_state(backend(0), AdminState::maintenance, now);
  EXPECT_EQ(refusal(), Picker::Refusal::unavailable);
}

TEST_F(ClusterLimitsTest, full_backend_is_passed_over_for_one_that_is_not) {
  limit(std::nullopt, 1);
  ASSERT_TRUE(admit(backend(0)));
  Picker picker(snapshot, random);
  for (int i = 0; i < 10; ++i) {
    const auto lease = picker.pick({.tried = {}, .now = now, .client = {}});
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->backend().get(), &backend(1));
  }
}

TEST_F(ClusterLimitsTest, reaching_a_limit_is_never_blamed_on_the_backend) {
  limit(1, 1);
  ASSERT_TRUE(admit(backend(0)));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(refusal(), Picker::Refusal::at_limit);
    EXPECT_EQ(obstacle(backend(0)), Obstacle::limit);
  }
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(breaker_state(backend(i)), BreakerState::closed);
    EXPECT_EQ(backend(i).breaker().opens(), 0U);
    for (size_t outcome = 0; outcome < kConnectOutcomeNames.size(); ++outcome) {
      EXPECT_EQ(backend(i).connects(static_cast<ConnectOutcome>(outcome)), 0U);
    }
  }
  EXPECT_TRUE(transitions.empty());
}

TEST_F(ClusterLimitsTest, decision_counts_who_was_passed_over_and_why) {
  settings.limits.of_backend = 1;
  apply(backend_settings_of(5));
  ASSERT_TRUE(admit(backend(0)));
  trip(backend(1));
  probe_aside(backend(2), false);
  cluster->set_admin_state(backend(3), AdminState::draining, now);
  // Whatever its position, a picker that gets the last one has asked some of the others at most
  // once; over all positions each of them is met.
  std::array<bool, kObstacleNames.size()> is_met{};
  Picker picker(snapshot, random);
  for (int i = 0; i < 20; ++i) {
    const auto lease = picker.pick({.tried = {}, .now = now, .client = {}});
    ASSERT_TRUE(lease);
    ASSERT_EQ(lease->backend().get(), &backend(4));
    for (size_t cause = 0; cause < is_met.size(); ++cause) {
      const uint8_t count = picker.last_decision().passed_over(static_cast<Obstacle>(cause));
      EXPECT_LE(count, 1U) << kObstacleNames[cause];
      is_met[cause] |= count > 0;
    }
    EXPECT_FALSE(picker.last_decision().is_trial);
  }
  for (const Obstacle met :
       {Obstacle::limit, Obstacle::breaker, Obstacle::health, Obstacle::administrative}) {
    EXPECT_TRUE(is_met[static_cast<size_t>(met)]) << name(met);
  }
  EXPECT_FALSE(is_met[static_cast<size_t>(Obstacle::tried)]);
  EXPECT_FALSE(is_met[static_cast<size_t>(Obstacle::slow_start)]);
}

TEST_F(ClusterLimitsTest, full_cluster_asks_nobody_unless_nobody_would_be_available) {
  settings.limits.of_cluster = 1;
  apply(backend_settings_of(5));
  Picker picker(snapshot, random);
  const auto only = picker.pick({.tried = {}, .now = now, .client = {}});
  ASSERT_TRUE(only);
  auto refused = picker.pick({.tried = {}, .now = now, .client = {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Picker::Refusal::at_limit);
  EXPECT_EQ(picker.last_decision().passed_over(Obstacle::limit), 1U) << "and not five";
  for (size_t i = 0; i < 5; ++i) {
    cluster->set_admin_state(backend(i), AdminState::maintenance, now);
  }
  refused = picker.pick({.tried = {}, .now = now, .client = {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Picker::Refusal::unavailable);
  EXPECT_EQ(picker.last_decision().passed_over(Obstacle::administrative), 5U);
}

TEST_F(ClusterLimitsTest, count_of_a_decision_stops_where_it_is_full) {
  Decision decision;
  for (int i = 0; i < 1000; ++i) decision.pass_over(Obstacle::breaker);
  EXPECT_EQ(decision.passed_over(Obstacle::breaker), Decision::kCountMax);
  EXPECT_EQ(decision.passed_over(Obstacle::health), 0U);
}

// --- who waits ---------------------------------------------------------------------------------

class ClusterPendingTest : public ClusterLimitsTest {
 protected:
  // One that waits; `calls` counts how often it was called.
  void wait_for_place() {
    const auto entry = cluster->pending().enter(call, 10);
    ticket = entry->ticket;
    rest();
  }
  void rest() { ASSERT_TRUE(cluster->pending().rest(ticket, cluster->pending().calls())); }
  // Called since it last rested?
  bool was_called() {
    const bool is_called = std::exchange(calls, 0) > 0;
    rest();
    return is_called;
  }

  PendingQueue::Ticket ticket{};
  int calls = 0;
  PendingQueue::Call call = [this](PendingQueue::Ticket) { ++calls; };
};

TEST_F(ClusterPendingTest, free_place_calls_the_first) {
  limit(1, std::nullopt);
  ASSERT_TRUE(admit(backend(0)));
  wait_for_place();
  EXPECT_FALSE(was_called());
  backend(0).remove_connection();
  EXPECT_TRUE(was_called());
}

TEST_F(ClusterPendingTest, vain_try_at_a_full_backend_calls_nobody) {
  limit(10, 1);
  ASSERT_TRUE(admit(backend(0)));
  ASSERT_TRUE(admit(backend(1)));
  wait_for_place();
  const uint64_t before = cluster->pending().calls();
  EXPECT_EQ(refusal(), Picker::Refusal::at_limit);
  EXPECT_EQ(cluster->pending().calls(), before) << "or a waiter's own try would keep it from rest";
}

TEST_F(ClusterPendingTest, whatever_may_change_the_answer_calls_the_first) {
  limit(std::nullopt, 1);
  ASSERT_TRUE(admit(backend(0)));
  wait_for_place();
  trip(backend(1));
  EXPECT_TRUE(was_called()) << "a breaker opened";
  now += seconds(30);
  cluster->announce_half_open(now);
  EXPECT_TRUE(was_called()) << "its trial can be had";
  const auto trial = cluster->admit_probe(backend(1), now);
  ASSERT_TRUE(trial);
  ASSERT_FALSE(was_called());
  cluster->record_probe(
      backend(1),
      {.began_at = now, .passed = false, .result = "", .permit = trial, .is_inconclusive = true},
      now);
  EXPECT_TRUE(was_called()) << "the trial was given back";
  probe_aside(backend(0), false);
  EXPECT_TRUE(was_called()) << "a probe's verdict";
  cluster->set_admin_state(backend(0), AdminState::maintenance, now);
  EXPECT_TRUE(was_called()) << "an operator's word";
  limit(std::nullopt, 2);
  EXPECT_TRUE(was_called()) << "a reload";
}

}  // namespace
}  // namespace sluice
