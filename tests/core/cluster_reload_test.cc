// What a reload keeps, changes and forgets.
#include "support.h"

namespace sluice {
namespace {

class ClusterReloadTest : public ClusterTest {
 protected:
  ClusterReloadTest() { apply(backend_settings_of(3)); }
};

TEST_F(ClusterReloadTest, there_is_no_snapshot_before_the_first_settings) {
  const auto fresh = std::make_shared<Cluster>(
      "new", [](const Transition&) {}, Random(1));
  EXPECT_EQ(fresh->snapshot(), nullptr);
}

TEST_F(ClusterReloadTest, backend_whose_name_and_address_stay_keeps_its_state) {
  trip(backend(0));
  probe(backend(1), false);
  Backend* const first = &backend(0);
  Backend* const second = &backend(1);
  ASSERT_TRUE(admit(backend(2)));
  apply(backend_settings_of(5), Arrival::later);
  EXPECT_EQ(&backend(0), first);
  EXPECT_EQ(&backend(1), second);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::open);
  EXPECT_EQ(backend(1).health(), Health::unhealthy);
  EXPECT_EQ(backend(2).active_connections(), 1U);
}

TEST_F(ClusterReloadTest, failures_in_a_row_go_on_over_a_reload) {
  connect_times(4, backend(0), ConnectOutcome::refused);
  apply(backend_settings_of(3));
  connect(backend(0), ConnectOutcome::refused);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::open);
}

TEST_F(ClusterReloadTest, same_name_at_another_address_is_another_backend) {
  trip(backend(0));
  auto backends = backend_settings_of(3);
  backends[0].address = backends[0].address.with_port(81);
  apply(backends, Arrival::later);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::closed);
  EXPECT_EQ(backend(0).arrival(), Arrival::later);
}

TEST_F(ClusterReloadTest, backend_keeps_its_state_in_another_priority) {
  trip(backend(0));
  Backend* const moved = &backend(0);
  auto backends = backend_settings_of(3);
  backends[0].priority = 1;
  apply(backends);
  ASSERT_EQ(snapshot->levels.size(), 2U);
  EXPECT_EQ(snapshot->levels[1].backends.at(0).get(), moved);
  EXPECT_EQ(moved->settings().priority, 1U);
}

TEST_F(ClusterReloadTest, levels_are_ordered_by_priority) {
  apply({backend_settings(1, 1, 9), backend_settings(2, 1, 0), backend_settings(3, 1, 4)});
  ASSERT_EQ(snapshot->levels.size(), 3U);
  EXPECT_EQ(snapshot->levels[0].priority, 0U);
  EXPECT_EQ(snapshot->levels[1].priority, 4U);
  EXPECT_EQ(snapshot->levels[2].priority, 9U);
}

TEST_F(ClusterReloadTest, empty_cluster_is_allowed) {
  apply({});
  EXPECT_TRUE(snapshot->levels.empty());
  Picker picker(snapshot, random);
  EXPECT_FALSE(picker.pick({.tried = {}, .now = now, .client = {}}));
}

TEST_F(ClusterReloadTest, changed_weight_and_administrative_state_take_effect) {
  auto backends = backend_settings_of(3);
  backends[0].weight = 9;
  backends[1].admin_state = AdminState::maintenance;
  apply(backends);
  EXPECT_EQ(backend(0).weight(), 9U);
  EXPECT_EQ(backend(1).admin_state(), AdminState::maintenance);
  EXPECT_FALSE(admits(backend(1)));
}

TEST_F(ClusterReloadTest, what_an_operator_set_stays_where_the_configuration_did_not_change) {
  backend(0).set_weight(7);
  cluster->set_admin_state(backend(0), AdminState::draining, now);
  apply(backend_settings_of(3));
  EXPECT_EQ(backend(0).weight(), 7U);
  EXPECT_EQ(backend(0).admin_state(), AdminState::draining);
  auto backends = backend_settings_of(3);
  backends[0].weight = 3;
  apply(backends);
  EXPECT_EQ(backend(0).weight(), 3U) << "the configuration wins when it changes";
  EXPECT_EQ(backend(0).admin_state(), AdminState::draining);
}

TEST_F(ClusterReloadTest, switching_probes_off_forgets_health) {
  probe(backend(0), false);
  told();
  settings.has_probes = false;
  apply(backend_settings_of(3));
  EXPECT_EQ(backend(0).health(), Health::unknown);
  EXPECT_EQ(told(), (Lines{"health unhealthy->unknown: health_check is off"}));
  settings.has_probes = true;
  apply(backend_settings_of(3));
  probe(backend(0), true);
  EXPECT_EQ(told(), (Lines{"health unknown->healthy: first probe passed"}));
}

TEST_F(ClusterReloadTest, switching_breakers_off_closes_them) {
  trip(backend(0));
  told();
  settings.circuit_breaker.is_enabled = false;
  apply(backend_settings_of(3));
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::closed);
  EXPECT_TRUE(admits(backend(0)));
  EXPECT_EQ(told(), (Lines{"breaker open->closed: circuit_breaker is off"}));
}

TEST_F(ClusterReloadTest, breaker_opened_under_an_older_snapshot_is_closed_too_once_they_are_off) {
  const auto older = snapshot;
  settings.circuit_breaker.is_enabled = false;
  apply(backend_settings_of(3));
  for (int i = 0; i < 5; ++i) {
    const auto permit = cluster->admit(*older, older->levels[0], backend(0), now);
    cluster->record_connect(*older, backend(0), permit.value(), ConnectOutcome::refused, now,
                            random);
  }
  ASSERT_EQ(breaker_state(backend(0)), BreakerState::open);
  EXPECT_FALSE(cluster->announce_half_open(now));
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::closed);
}

TEST_F(ClusterReloadTest, connect_may_end_after_its_backend_was_removed) {
  Picker picker(snapshot, random);
  auto lease = picker.pick({.tried = {}, .now = now, .client = {}});
  const auto removed = lease->backend();
  apply({});
  picker.adopt(snapshot);
  lease->settle(ConnectOutcome::connected, now, random);
  lease->release();
  EXPECT_EQ(removed->active_connections(), 0U);
}

TEST_F(ClusterReloadTest, removed_backend_is_told_of_no_more) {
  const auto older = snapshot;
  const std::vector<Permit> permits(5, admit(backend(0)).value());
  apply({});
  apply(backend_settings_of(3), Arrival::later);
  Backend& removed = *older->levels[0].backends[0];
  for (const Permit permit : permits) {
    cluster->record_connect(*older, removed, permit, ConnectOutcome::refused, now, random);
  }
  EXPECT_EQ(breaker_state(removed), BreakerState::open);
  EXPECT_TRUE(told().empty()) << "it would be taken for the new one of its name";
}

TEST_F(ClusterReloadTest, who_waits_for_its_first_probe_is_not_counted_as_available) {
  settings.has_probes = true;
  apply(backend_settings_of(3));
  apply(backend_settings_of(5), Arrival::later);
  EXPECT_EQ(cluster->available_backends(), 5U) << "nobody is known to be better";
  EXPECT_TRUE(admits(backend(3)));
  probe(backend(0), true);
  ASSERT_EQ(backend(0).health(), Health::healthy);
  EXPECT_EQ(cluster->available_backends(), 3U);
  EXPECT_TRUE(admits(backend(1)));
  EXPECT_FALSE(admits(backend(3)));
  probe(backend(3), true);
  EXPECT_EQ(cluster->available_backends(), 4U);
  EXPECT_TRUE(admits(backend(3)));
}

TEST_F(ClusterReloadTest, snapshot_keeps_its_cluster_alive_and_not_the_other_way_round) {
  std::weak_ptr<Cluster> watch = cluster;
  cluster.reset();
  EXPECT_FALSE(watch.expired());
  EXPECT_EQ(snapshot->cluster->name(), "web");
  EXPECT_TRUE(admits(backend(0)));
  snapshot.reset();
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace sluice
