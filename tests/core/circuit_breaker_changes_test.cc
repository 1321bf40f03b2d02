// When a breaker tells of a change, what else changes it, and in which order all that comes.
#include <stdexcept>

#include "circuit_breaker_rig.h"

namespace sluice {
namespace {

using std::chrono::seconds;

TEST_F(CircuitBreakerTest, half_open_is_told_once_by_the_timer) {
  trip();
  pass_open_period();
  announce();
  announce();
  admit();
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[1].from, BreakerState::open);
  EXPECT_EQ(changes[1].to, BreakerState::half_open);
}

TEST_F(CircuitBreakerTest, half_open_is_told_once_by_the_first_to_ask) {
  trip_and_take_trial();
  announce();
  EXPECT_EQ(changes.size(), 2U);
}

TEST_F(CircuitBreakerTest, half_open_is_not_told_before_its_time) {
  trip();
  now += seconds(29);
  announce();
  EXPECT_EQ(changes.size(), 1U);
}

TEST_F(CircuitBreakerTest, early_trial_makes_it_half_open_at_once) {
  trip();
  breaker.begin_early_trial(breaker.opening()->generation, hear);
  EXPECT_EQ(state(), BreakerState::half_open);
  EXPECT_FALSE(breaker.reopens_at());
  EXPECT_TRUE(admit()->is_trial);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[1].to, BreakerState::half_open);
}

TEST_F(CircuitBreakerTest, early_trial_of_an_older_opening_changes_nothing) {
  trip();
  const uint32_t generation = breaker.opening()->generation;
  pass_open_period();
  failed(admit().value());
  breaker.begin_early_trial(generation, hear);
  EXPECT_EQ(state(), BreakerState::open);
}

TEST_F(CircuitBreakerTest, early_trial_of_a_closed_breaker_changes_nothing) {
  breaker.begin_early_trial(breaker.generation(), hear);
  EXPECT_EQ(state(), BreakerState::closed);
  EXPECT_TRUE(changes.empty());
}

TEST_F(CircuitBreakerTest, early_trial_that_fails_doubles_too) {
  trip();
  breaker.begin_early_trial(breaker.opening()->generation, hear);
  failed(admit().value());
  EXPECT_EQ(open_period(), seconds(60));
}

TEST_F(CircuitBreakerTest, reset_closes_it_and_voids_a_trial_that_is_out) {
  const Permit permit = trip_and_take_trial();
  breaker.reset(hear);
  EXPECT_EQ(state(), BreakerState::closed);
  EXPECT_EQ(changes.back().to, BreakerState::closed);
  failed(permit);
  EXPECT_EQ(state(), BreakerState::closed);
  breaker.reset(hear);
  EXPECT_EQ(changes.size(), 3U);
}

TEST_F(CircuitBreakerTest, change_is_told_before_anybody_can_act_on_it) {
  trip();
  pass_open_period();
  bool could_act = true;
  breaker.announce_half_open(now, [&](const BreakerChange&) {
    could_act = !breaker.refuses(now) || breaker.admit(now, hear).has_value();
  });
  EXPECT_FALSE(could_act);
  EXPECT_TRUE(admit());
}

TEST_F(CircuitBreakerTest, listener_that_throws_leaves_no_breaker_shut_for_ever) {
  const auto choke = [](const BreakerChange&) { throw std::runtime_error("no memory"); };
  EXPECT_THROW(breaker.trip(breaker.generation(), now, settings, random, choke),
               std::runtime_error);
  EXPECT_EQ(state(), BreakerState::open);
  pass_open_period();
  EXPECT_THROW(breaker.admit(now, choke), std::runtime_error);
  EXPECT_TRUE(admit()->is_trial);
}

TEST_F(CircuitBreakerTest, every_change_and_every_trial_begins_a_generation) {
  settings.success_threshold = 2;
  uint32_t generation = breaker.generation();
  const auto expect_new_generation = [&] {
    EXPECT_EQ(breaker.generation(), generation + 1);
    generation = breaker.generation();
  };
  trip();
  expect_new_generation();
  pass_open_period();
  announce();
  expect_new_generation();
  const Permit first = admit().value();
  expect_new_generation();
  succeeded(first);
  expect_new_generation();
  const Permit second = admit().value();
  expect_new_generation();
  succeeded(second);
  expect_new_generation();
}

TEST_F(CircuitBreakerTest, each_change_starts_where_the_last_one_ended) {
  BreakerState last = BreakerState::closed;
  for (int i = 0; i < 1000; ++i) {
    now += seconds(random.below(60));
    switch (random.below(5)) {
      case 0:
        trip();
        break;
      case 1:
        announce();
        break;
      case 2:
        breaker.begin_early_trial(breaker.generation(), hear);
        break;
      default:
        if (const auto permit = admit(); permit && random.below(2) == 0) {
          succeeded(*permit);
        } else if (permit) {
          failed(*permit);
        }
    }
  }
  ASSERT_GT(changes.size(), 100U);
  for (const BreakerChange& change : changes) {
    EXPECT_EQ(change.from, last);
    EXPECT_NE(change.from, change.to);
    last = change.to;
  }
}

}  // namespace
}  // namespace sluice
