// Who takes a client's connection: three independent causes to be left out, asked in order.
#include "support.h"

namespace sluice {
namespace {

class ClusterAdmissionTest : public ClusterTest {
 protected:
  ClusterAdmissionTest() { apply(backend_settings_of(2)); }

  void make_unhealthy(Backend& wanted) {
    probe(wanted, false);
    for (int i = 0; i < 3; ++i) probe(wanted, false);
  }
};

TEST_F(ClusterAdmissionTest, fresh_backend_takes_connections) { EXPECT_TRUE(admits(backend(0))); }

TEST_F(ClusterAdmissionTest, draining_backend_gets_no_new_connection_and_keeps_its_old_ones) {
  ASSERT_TRUE(admit(backend(0)));
  cluster->set_admin_state(backend(0), AdminState::draining, now);
  EXPECT_FALSE(admits(backend(0)));
  EXPECT_EQ(backend(0).active_connections(), 1U);
  cluster->set_admin_state(backend(0), AdminState::ready, now);
  EXPECT_TRUE(admits(backend(0)));
}

TEST_F(ClusterAdmissionTest, backend_in_maintenance_gets_no_connection) {
  cluster->set_admin_state(backend(0), AdminState::maintenance, now);
  EXPECT_FALSE(admits(backend(0)));
}

TEST_F(ClusterAdmissionTest, unhealthy_backend_gets_no_connection) {
  make_unhealthy(backend(0));
  EXPECT_FALSE(admits(backend(0)));
  EXPECT_TRUE(admits(backend(1)));
}

TEST_F(ClusterAdmissionTest, backend_with_an_open_breaker_gets_no_connection) {
  trip(backend(0));
  EXPECT_FALSE(admits(backend(0)));
  EXPECT_TRUE(admits(backend(1)));
}

TEST_F(ClusterAdmissionTest, recovering_from_one_cause_does_not_erase_another) {
  Backend& sick = backend(0);
  probe_aside(sick, false);
  cluster->set_admin_state(sick, AdminState::maintenance, now);
  ASSERT_EQ(sick.health(), Health::unhealthy);
  settings.circuit_breaker.early_trial = false;
  apply(backend_settings_of(2));
  cluster->set_admin_state(sick, AdminState::ready, now);
  EXPECT_FALSE(admits(sick)) << "still unhealthy";

  now += seconds(1);
  probe_aside(sick, true);
  probe_aside(sick, true);
  trip(sick);
  cluster->set_admin_state(sick, AdminState::draining, now);
  probe_aside(sick, true);
  EXPECT_EQ(sick.health(), Health::healthy);
  EXPECT_EQ(breaker_state(sick), BreakerState::open) << "probes close no breaker";
  EXPECT_EQ(sick.admin_state(), AdminState::draining) << "nor do they end a drain";

  now += seconds(30);
  cluster->set_admin_state(sick, AdminState::ready, now);
  EXPECT_TRUE(connect(sick, ConnectOutcome::connected));
  EXPECT_EQ(breaker_state(sick), BreakerState::closed);
}

TEST_F(ClusterAdmissionTest, closing_breaker_does_not_make_it_healthy) {
  trip(backend(0));
  probe_aside(backend(0), false);
  now += seconds(30);
  probe(backend(0), true);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::closed);
  EXPECT_EQ(backend(0).health(), Health::unhealthy);
  EXPECT_FALSE(admits(backend(0)));
}

TEST_F(ClusterAdmissionTest, breaker_is_asked_last) {
  trip(backend(0));
  trip(backend(1));
  probe_aside(backend(0), false);
  cluster->set_admin_state(backend(1), AdminState::maintenance, now);
  now += seconds(30);
  EXPECT_FALSE(admit(backend(0)));
  EXPECT_FALSE(admit(backend(1)));
  EXPECT_TRUE(cluster->admit_probe(backend(0), now)) << "the refusal took no trial";
  EXPECT_TRUE(cluster->admit_probe(backend(1), now));
}

TEST_F(ClusterAdmissionTest, refusal_gives_back_what_was_reserved) {
  cluster->set_admin_state(backend(1), AdminState::maintenance, now);
  trip(backend(0));
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(admit(backend(0)));
    EXPECT_FALSE(admit(backend(1)));
  }
  EXPECT_EQ(backend(0).active_connections(), 0U);
  EXPECT_EQ(backend(1).active_connections(), 0U);
}

TEST_F(ClusterAdmissionTest, admission_counts_the_connection) {
  ASSERT_TRUE(admit(backend(0)));
  ASSERT_TRUE(admit(backend(0)));
  EXPECT_EQ(backend(0).active_connections(), 2U);
}

TEST_F(ClusterAdmissionTest, unknown_backends_are_used_at_a_cold_start) {
  probe(backend(1), true);
  EXPECT_EQ(backend(0).health(), Health::unknown);
  EXPECT_TRUE(admits(backend(0)));
}

TEST_F(ClusterAdmissionTest,
       backend_added_later_waits_for_its_first_probe_while_another_is_healthy) {
  probe(backend(0), true);
  apply(backend_settings_of(3), Arrival::later);
  EXPECT_FALSE(admits(backend(2)));
  EXPECT_TRUE(admits(backend(1))) << "the unknown one of the cold start is still used";
  probe(backend(2), true);
  EXPECT_TRUE(admits(backend(2)));
}

TEST_F(ClusterAdmissionTest, backend_added_later_is_used_at_once_where_no_other_is_healthy) {
  apply(backend_settings_of(3), Arrival::later);
  EXPECT_TRUE(admits(backend(2)));
  probe(backend(0), true);
  EXPECT_FALSE(admits(backend(2)));
  for (int i = 0; i < 3; ++i) probe(backend(0), false);
  EXPECT_TRUE(admits(backend(2)));
}

TEST_F(ClusterAdmissionTest, healthy_backend_that_drains_makes_nobody_wait) {
  probe(backend(0), true);
  apply(backend_settings_of(3), Arrival::later);
  cluster->set_admin_state(backend(0), AdminState::draining, now);
  EXPECT_TRUE(admits(backend(2)));
}

TEST_F(ClusterAdmissionTest, without_probes_everybody_is_unknown_and_used) {
  settings.has_probes = false;
  apply(backend_settings_of(3), Arrival::later);
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(admits(backend(i)));
}

}  // namespace
}  // namespace sluice
