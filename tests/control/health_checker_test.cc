#include "sluice/control/health_checker.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "health_checker_rig.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

TEST_F(HealthCheckerTest, first_probe_goes_out_at_once_and_decides_alone) {
  const UniqueFd server = listen_on(loopback());
  HealthCheckConfig check = quick();
  check.interval = check.unhealthy_interval = std::chrono::hours(1);
  watch({address_of(server), refusing_port().address}, check);
  EXPECT_TRUE(becomes(Health::healthy, 0));
  EXPECT_TRUE(becomes(Health::unhealthy, 1));
  EXPECT_EQ(last_why().substr(0, 11), "first probe");
}

TEST_F(HealthCheckerTest, backend_that_dies_and_returns_is_noticed_by_the_thresholds) {
  UniqueFd server = listen_on(loopback());
  const Address address = address_of(server);
  watch({address}, quick());
  ASSERT_TRUE(becomes(Health::healthy));
  server.reset();
  ASSERT_TRUE(becomes(Health::unhealthy));
  EXPECT_EQ(last_why(), "3 probes in a row failed, last: refused");
  server = listen_on(address);
  ASSERT_TRUE(becomes(Health::healthy));
  EXPECT_EQ(last_why(), "2 probes in a row passed");
}

// One that hangs does not hold up the others: all verdicts are in before the hanging one's timeout.
TEST_F(HealthCheckerTest, probes_never_wait_for_one_another) {
  constexpr size_t kServers = 300;
  std::vector<UniqueFd> servers;
  std::vector<Address> addresses;
  for (size_t i = 0; i < kServers; ++i) {
    servers.push_back(listen_on(loopback()));
    addresses.push_back(address_of(servers.back()));
  }
  HealthCheckConfig check = quick();
  check.expect = "hello";
  check.timeout = std::chrono::minutes(10);
  watch(addresses, check);
  run_until(loop_, [&] { return checker_->in_flight() == kServers; });
  EXPECT_EQ(checker_->in_flight(), kServers);
  // All but the first answer.
  for (size_t i = 1; i < kServers; ++i) ASSERT_TRUE(serve_once(servers[i], "hello"));
  for (size_t i = 1; i < kServers; ++i) EXPECT_TRUE(becomes(Health::healthy, i));
  EXPECT_EQ(backend(0).health(), Health::unknown);
}

TEST_F(HealthCheckerTest, probe_takes_the_trial_of_an_idle_backend) {
  const UniqueFd server = listen_on(loopback());
  config_.settings.circuit_breaker.recovery_timeout = milliseconds(50);
  config_.settings.circuit_breaker.early_trial = false;
  watch({address_of(server)}, quick());
  ASSERT_TRUE(becomes(Health::healthy));
  Random random(3);
  backend().breaker().trip(backend().breaker().generation(), loop_.now(),
                           config_.settings.circuit_breaker, random, [](const BreakerChange&) {});
  ASSERT_EQ(backend().breaker().state(loop_.now()), BreakerState::open);
  EXPECT_TRUE(run_until(
      loop_, [&] { return backend().breaker().state(loop_.now()) == BreakerState::closed; }));
  EXPECT_EQ(last_why(), "trial succeeded");
}

TEST_F(HealthCheckerTest, probe_of_another_port_never_takes_the_trial) {
  const UniqueFd traffic = listen_on(loopback());
  const UniqueFd health = listen_on(loopback());
  config_.settings.circuit_breaker.recovery_timeout = milliseconds(1);
  config_.settings.circuit_breaker.early_trial = false;
  HealthCheckConfig check = quick();
  check.port = address_of(health).port();
  watch({address_of(traffic)}, check);
  ASSERT_TRUE(becomes(Health::healthy));
  Random random(3);
  backend().breaker().trip(backend().breaker().generation(), loop_.now(),
                           config_.settings.circuit_breaker, random, [](const BreakerChange&) {});
  size_t probes = 0;
  EXPECT_TRUE(run_until(loop_, [&] {
    if (has_pending_client(health)) {
      accept_from(health);
      ++probes;
    }
    return probes == 10;
  }));
  EXPECT_EQ(backend().breaker().state(loop_.now()), BreakerState::half_open);
  EXPECT_FALSE(has_pending_client(traffic));
}

TEST_F(HealthCheckerTest, unix_backend_with_a_full_backlog_is_waited_for) {
  const Address address = unused_abstract_name();
  const UniqueFd server = listen_on(address, 0);
  const UniqueFd filler = connect_to(address);  // takes the only place
  HealthCheckConfig check = quick();
  check.timeout = std::chrono::seconds(10);
  watch({address}, check);
  ASSERT_TRUE(run_until(loop_, [&] { return checker_->in_flight() == 1; }));
  accept_from(server);
  EXPECT_TRUE(becomes(Health::healthy));
}

TEST_F(HealthCheckerTest, backend_that_left_is_no_longer_probed) {
  const UniqueFd server = listen_on(loopback());
  watch({address_of(server)}, quick());
  ASSERT_TRUE(becomes(Health::healthy));
  settings_.clear();
  cluster_->apply(config_.settings, settings_, Arrival::later, loop_.now());
  checker_->watch(cluster_, config_, settings_);
  EXPECT_EQ(checker_->in_flight(), 0U);
  while (has_pending_client(server)) accept_from(server);
  Timer later(loop_, [] {});
  later.start(milliseconds(300));
  run_until(loop_, [&] { return !later.is_running(); });
  EXPECT_FALSE(has_pending_client(server));
}

TEST_F(HealthCheckerTest, prober_that_goes_in_mid_probe_gives_the_trial_back) {
  const UniqueFd server = listen_on(loopback());
  config_.settings.circuit_breaker.recovery_timeout = milliseconds(0);
  HealthCheckConfig check = quick();
  check.expect = "never comes";
  check.timeout = std::chrono::minutes(10);
  watch({address_of(server)}, check);
  Random random(3);
  backend().breaker().trip(backend().breaker().generation(), loop_.now(),
                           config_.settings.circuit_breaker, random, [](const BreakerChange&) {});
  ASSERT_TRUE(run_until(loop_, [&] { return checker_->in_flight() == 1; }));
  EXPECT_FALSE(backend().breaker().admit(loop_.now(), [](const BreakerChange&) {}));
  checker_.reset();
  EXPECT_TRUE(backend().breaker().admit(loop_.now(), [](const BreakerChange&) {}));
}

}  // namespace
}  // namespace sluice
