#include "circuit_breaker_rig.h"

namespace sluice {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_F(CircuitBreakerTest, closed_lets_everybody_through) {
  EXPECT_EQ(state(), BreakerState::closed);
  EXPECT_FALSE(breaker.refuses(now));
  for (int i = 0; i < 100; ++i) {
    const auto permit = admit();
    ASSERT_TRUE(permit);
    EXPECT_FALSE(permit->is_trial);
  }
  EXPECT_FALSE(breaker.reopens_at());
  EXPECT_FALSE(breaker.opening());
}

TEST_F(CircuitBreakerTest, closed_has_no_trial_to_give) { EXPECT_FALSE(admit_trial()); }

TEST_F(CircuitBreakerTest, verdicts_on_ordinary_permits_do_nothing) {
  const Permit permit = admit().value();
  for (int i = 0; i < 100; ++i) failed(permit);
  succeeded(permit);
  breaker.abandoned(permit);
  EXPECT_EQ(state(), BreakerState::closed);
  EXPECT_EQ(breaker.generation(), permit.generation);
  EXPECT_TRUE(changes.empty());
}

TEST_F(CircuitBreakerTest, trip_opens_and_says_when_it_will_be_tried_again) {
  trip();
  EXPECT_EQ(state(), BreakerState::open);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].from, BreakerState::closed);
  EXPECT_EQ(changes[0].to, BreakerState::open);
  EXPECT_EQ(changes[0].retry_at, now + seconds(30));
  EXPECT_EQ(breaker.opening()->opened_at, now);
  EXPECT_EQ(breaker.reopens_at(), now + seconds(30));
  EXPECT_EQ(breaker.opens(), 1U);
}

TEST_F(CircuitBreakerTest, open_refuses_everybody_until_the_reopening_time) {
  trip();
  EXPECT_FALSE(admit());
  now += seconds(30) - Duration(1);
  EXPECT_TRUE(breaker.refuses(now));
  EXPECT_FALSE(admit());
  EXPECT_FALSE(admit_trial());
  EXPECT_EQ(state(), BreakerState::open);
  now += Duration(1);
  EXPECT_FALSE(breaker.refuses(now));
  EXPECT_EQ(state(), BreakerState::half_open);
  EXPECT_TRUE(admit());
}

TEST_F(CircuitBreakerTest, second_trip_of_a_generation_changes_nothing) {
  const uint32_t generation = breaker.generation();
  trip();
  breaker.trip(generation, now, settings, random, hear);
  EXPECT_EQ(changes.size(), 1U);
  EXPECT_EQ(breaker.opens(), 1U);
}

TEST_F(CircuitBreakerTest, failures_from_before_a_recovery_cannot_trip_it_again) {
  const uint32_t before = breaker.generation();
  succeeded(trip_and_take_trial());
  ASSERT_EQ(state(), BreakerState::closed);
  breaker.trip(before, now, settings, random, hear);
  EXPECT_EQ(state(), BreakerState::closed);
}

TEST_F(CircuitBreakerTest, half_open_lets_exactly_one_through) {
  EXPECT_TRUE(trip_and_take_trial().is_trial);
  EXPECT_TRUE(breaker.refuses(now));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(admit());
  EXPECT_FALSE(admit_trial());
  EXPECT_EQ(state(), BreakerState::half_open);
}

TEST_F(CircuitBreakerTest, trial_is_not_given_again_however_long_its_verdict_takes) {
  trip_and_take_trial();
  now += hours(24);
  EXPECT_FALSE(admit());
}

TEST_F(CircuitBreakerTest, succeeded_trial_closes_it) {
  succeeded(trip_and_take_trial());
  EXPECT_EQ(state(), BreakerState::closed);
  EXPECT_EQ(changes.back().from, BreakerState::half_open);
  EXPECT_EQ(changes.back().to, BreakerState::closed);
  EXPECT_EQ(changes.back().generation, breaker.generation());
  EXPECT_FALSE(admit()->is_trial);
}

TEST_F(CircuitBreakerTest, failed_trial_doubles_the_open_period) {
  for (const int expected : {30, 60, 120, 240, 300, 300, 300}) {
    if (state() == BreakerState::closed) {
      trip();
    } else {
      failed(admit().value());
    }
    EXPECT_EQ(open_period(), seconds(expected));
    EXPECT_EQ(changes.back().to, BreakerState::open);
    EXPECT_EQ(changes.back().retry_at, breaker.reopens_at());
    EXPECT_FALSE(admit());
    pass_open_period();
  }
  EXPECT_EQ(breaker.opens(), 7U);
}

TEST_F(CircuitBreakerTest, succeeded_trial_forgets_the_doubling) {
  failed(trip_and_take_trial());
  pass_open_period();
  failed(admit().value());
  pass_open_period();
  succeeded(admit().value());
  trip();
  EXPECT_EQ(open_period(), seconds(30));
}

TEST_F(CircuitBreakerTest, doubling_never_overflows) {
  settings.recovery_timeout = Duration(1);
  settings.max_recovery_timeout = Duration::max();
  settings.jitter = 100;
  trip();
  for (int i = 0; i < 1000; ++i) {
    EXPECT_GE(open_period(), Duration::zero());
    EXPECT_LE(open_period(), hours(24 * 365 * 2));
    pass_open_period();
    now = TimePoint(hours(1000));
    breaker.begin_early_trial(breaker.generation(), hear);
    failed(admit().value());
  }
}

TEST_F(CircuitBreakerTest, recovery_timeout_above_the_maximum_is_cut_to_it) {
  settings.recovery_timeout = minutes(10);
  trip();
  EXPECT_EQ(open_period(), minutes(5));
}

TEST_F(CircuitBreakerTest, zero_recovery_timeout_makes_it_half_open_at_once) {
  settings.recovery_timeout = Duration::zero();
  trip();
  EXPECT_EQ(state(), BreakerState::half_open);
  failed(admit().value());
  EXPECT_EQ(open_period(), Duration::zero());
}

TEST_F(CircuitBreakerTest, jitter_spreads_the_open_period_both_ways_and_no_further) {
  settings.jitter = 10;
  Duration least = Duration::max();
  Duration most = Duration::min();
  for (int i = 0; i < 1000; ++i) {
    trip();
    least = std::min(least, open_period());
    most = std::max(most, open_period());
    pass_open_period();
    succeeded(admit().value());
  }
  EXPECT_GE(least, seconds(27));
  EXPECT_LT(least, seconds(28));
  EXPECT_LE(most, seconds(33));
  EXPECT_GT(most, seconds(32));
}

TEST_F(CircuitBreakerTest, jitter_comes_after_the_maximum) {
  settings.jitter = 10;
  settings.recovery_timeout = settings.max_recovery_timeout;
  Duration most = Duration::min();
  for (int i = 0; i < 100; ++i) {
    trip();
    most = std::max(most, open_period());
    pass_open_period();
    succeeded(admit().value());
  }
  EXPECT_GT(most, minutes(5));
  EXPECT_LE(most, minutes(5) + seconds(30));
}

TEST_F(CircuitBreakerTest, success_threshold_asks_for_that_many_trials_one_at_a_time) {
  settings.success_threshold = 3;
  Permit permit = trip_and_take_trial();
  for (int i = 0; i < 2; ++i) {
    succeeded(permit);
    EXPECT_EQ(state(), BreakerState::half_open);
    permit = admit().value();
    EXPECT_TRUE(permit.is_trial);
    EXPECT_FALSE(admit());
  }
  succeeded(permit);
  EXPECT_EQ(state(), BreakerState::closed);
  EXPECT_EQ(changes.size(), 3U);  // open, half_open, closed
}

TEST_F(CircuitBreakerTest, failed_trial_starts_the_row_of_successes_again) {
  settings.success_threshold = 2;
  succeeded(trip_and_take_trial());
  failed(admit().value());
  pass_open_period();
  succeeded(admit().value());
  EXPECT_EQ(state(), BreakerState::half_open);
  succeeded(admit().value());
  EXPECT_EQ(state(), BreakerState::closed);
}

TEST_F(CircuitBreakerTest, only_closing_forgets_the_doubling) {
  settings.success_threshold = 2;
  failed(trip_and_take_trial());
  pass_open_period();
  succeeded(admit().value());
  failed(admit().value());
  EXPECT_EQ(open_period(), seconds(120));
}

TEST_F(CircuitBreakerTest, abandoned_trial_goes_to_the_next_to_ask) {
  breaker.abandoned(trip_and_take_trial());
  EXPECT_EQ(state(), BreakerState::half_open);
  EXPECT_TRUE(admit()->is_trial);
  EXPECT_FALSE(admit());
  EXPECT_EQ(changes.size(), 2U);
}

TEST_F(CircuitBreakerTest, abandoned_trial_keeps_the_row_of_successes) {
  settings.success_threshold = 2;
  succeeded(trip_and_take_trial());
  breaker.abandoned(admit().value());
  succeeded(admit().value());
  EXPECT_EQ(state(), BreakerState::closed);
}

TEST_F(CircuitBreakerTest, permit_of_an_older_generation_changes_nothing) {
  const Permit from_before_the_trip = admit().value();
  const Permit abandoned = trip_and_take_trial();
  breaker.abandoned(abandoned);
  const Permit current = admit().value();
  for (const Permit stale : {from_before_the_trip, abandoned}) {
    failed(stale);
    succeeded(stale);
    breaker.abandoned(stale);
    EXPECT_EQ(state(), BreakerState::half_open);
    EXPECT_FALSE(admit());
  }
  succeeded(current);
  EXPECT_EQ(state(), BreakerState::closed);
}

TEST_F(CircuitBreakerTest, verdict_counts_once) {
  const Permit permit = trip_and_take_trial();
  failed(permit);
  failed(permit);
  succeeded(permit);
  EXPECT_EQ(state(), BreakerState::open);
  EXPECT_EQ(open_period(), seconds(60));
}

}  // namespace
}  // namespace sluice
