#include "sluice/core/lease.h"

#include "support.h"

namespace sluice {
namespace {

class LeaseTest : public ClusterTest {
 protected:
  LeaseTest() { apply(backend_settings_of(1)); }

  Lease take() {
    const auto permit = admit(backend(0));
    EXPECT_TRUE(permit);
    return Lease(snapshot, snapshot->levels[0].backends[0], permit.value_or(Permit{}));
  }
  Lease trip_and_take_trial() {
    trip(backend(0));
    now += seconds(30);
    return take();
  }
  uint32_t active() { return backend(0).active_connections(); }
};

TEST_F(LeaseTest, default_is_of_nothing) {
  Lease lease;
  EXPECT_FALSE(lease);
  lease.release();
}

TEST_F(LeaseTest, holds_its_place_until_its_end) {
  {
    Lease lease = take();
    EXPECT_TRUE(lease);
    EXPECT_EQ(active(), 1U);
    lease.settle(ConnectOutcome::connected, now, random);
    EXPECT_EQ(active(), 1U);
  }
  EXPECT_EQ(active(), 0U);
  EXPECT_EQ(backend(0).connects(ConnectOutcome::connected), 1U);
  EXPECT_EQ(backend(0).connects(ConnectOutcome::abandoned), 0U);
}

TEST_F(LeaseTest, going_out_of_scope_settles_as_abandoned) {
  take();
  EXPECT_EQ(active(), 0U);
  EXPECT_EQ(backend(0).connects(ConnectOutcome::abandoned), 1U);
}

TEST_F(LeaseTest, no_odd_exit_path_loses_a_trial) {
  EXPECT_TRUE(trip_and_take_trial().is_trial());
  EXPECT_TRUE(take().is_trial());
  Lease overwritten = take();
  EXPECT_TRUE(overwritten.is_trial());
  overwritten = Lease();
  EXPECT_TRUE(take().is_trial());
  EXPECT_EQ(active(), 0U);
}

TEST_F(LeaseTest, moving_hands_over_permit_and_place) {
  Lease first = trip_and_take_trial();
  Lease second = std::move(first);
  EXPECT_TRUE(second.is_trial());
  EXPECT_EQ(active(), 1U);
  first.release();  // NOLINT(bugprone-use-after-move): of nothing by now
  EXPECT_EQ(active(), 1U);
  EXPECT_FALSE(admit(backend(0)));
  Lease third;
  third = std::move(second);
  third.settle(ConnectOutcome::connected, now, random);
  third.release();
  EXPECT_EQ(active(), 0U);
  EXPECT_EQ(breaker_state(backend(0)), BreakerState::closed);
}

TEST_F(LeaseTest, second_verdict_is_ignored) {
  Lease lease = take();
  lease.settle(ConnectOutcome::connected, now, random);
  lease.settle(ConnectOutcome::refused, now, random);
  EXPECT_EQ(backend(0).connects(ConnectOutcome::refused), 0U);
}

TEST_F(LeaseTest, releases_once) {
  Lease lease = take();
  lease.release();
  lease.release();
  EXPECT_EQ(active(), 0U);
}

}  // namespace
}  // namespace sluice
