// Negative controls: a world that breaks one rule at a time, and the invariant that has to notice.
#include <gtest/gtest.h>

#include "world.h"

namespace sluice::sim {
namespace {

struct Control {
  Fault fault;
  std::string_view rule;
  std::string_view invariant;  // empty where it depends on what is hit first
};

void PrintTo(const Control& control, std::ostream* out) { *out << control.rule; }

std::string violation_under(Fault fault, uint64_t seed) {
  constexpr int kStepsMax = 5'000'000;  // some need two ejections at a time
  World world({.seed = seed, .fault = fault, .is_verbose = false});
  for (int step = 0; step < kStepsMax; ++step) {
    if (!world.step()) return *world.checker().violation();
  }
  return "";
}

class Controls : public ::testing::TestWithParam<Control> {};

TEST_P(Controls, broken_rule_is_noticed) {
  for (const uint64_t seed : {1U, 2U, 3U}) {
    const std::string violation = violation_under(GetParam().fault, seed);
    EXPECT_FALSE(violation.empty()) << "nobody noticed";
    EXPECT_NE(violation.find(GetParam().invariant), std::string::npos) << violation;
  }
}

INSTANTIATE_TEST_SUITE_P(
    faults, Controls,
    ::testing::Values(
        Control{Fault::ignores_breaker, "ignores_breaker", "has an open breaker"},
        Control{Fault::ignores_health, "ignores_health", "is unhealthy"},
        Control{Fault::ignores_admin_state, "ignores_admin_state", "is draining"},
        Control{Fault::second_trial, "second_trial", "has its trial out"},
        Control{Fault::loses_trial, "loses_trial", "breakers of those who are back close again"},
        Control{Fault::loses_transition, "loses_transition", ""},
        Control{Fault::repeats_transition, "repeats_transition", "chain"},
        Control{Fault::loses_connection, "loses_connection", "connection counts"},
        Control{Fault::trips_too_early, "trips_too_early", "founded transitions"},
        Control{Fault::blames_nobody, "blames_nobody", "breaker moves when it has to"},
        Control{Fault::blames_local_errors, "blames_local_errors", "founded transitions"},
        Control{Fault::looks_ahead_in_time, "looks_ahead_in_time", "has an open breaker"},
        Control{Fault::forgets_tried, "forgets_tried", "untried ones first"},
        Control{Fault::turns_clients_away, "turns_clients_away",
                "refuses only when nobody is available"},
        Control{Fault::prefers_the_last_priority, "prefers_the_last_priority",
                "levels by their shares"},
        Control{Fault::ignores_shares, "ignores_shares", "clients spread by the shares"},
        Control{Fault::loses_news, "loses_news", "shares follow from what is available"},
        Control{Fault::piles_up_connections, "piles_up_connections", "fewest connections first"},
        Control{Fault::swallows_probes, "swallows_probes", "health moves when it has to"},
        Control{Fault::repeats_probes, "repeats_probes", "health by thresholds"},
        Control{Fault::misstates_the_retry, "misstates_the_retry", "open period"},
        Control{Fault::never_panics, "never_panics", "panic by threshold"},
        Control{Fault::exceeds_limits, "exceeds_limits", "has as many connections as it may"},
        Control{Fault::mistakes_limits, "mistakes_limits",
                "at_limit when only a limit is in the way"},
        Control{Fault::loses_calls, "loses_calls", "nobody waits while a place is free"},
        Control{Fault::calls_the_last, "calls_the_last", "first come, first served"},
        Control{Fault::ignores_budget, "ignores_budget", "retries within their budget"},
        Control{Fault::skips_the_first, "skips_the_first", "first in the order of the list"},
        Control{Fault::moves_clients, "moves_clients", "the same client to the same backend"},
        Control{Fault::ignores_weights, "ignores_weights", ""},
        Control{Fault::skips_turns_of_the_heavy, "skips_turns_of_the_heavy",
                "turns by the weights"},
        Control{Fault::draws_again_for_the_heavy, "draws_again_for_the_heavy",
                "load spread by the weights"},
        Control{Fault::hurries_the_young, "hurries_the_young", "the young get their share"},
        Control{Fault::ignores_the_cap, "ignores_the_cap", ""},  // a new one, or a restored one
        Control{Fault::ejects_nobody, "ejects_nobody", "outliers are ejected"},
        Control{Fault::forgives_flaps, "forgives_flaps", ""},
        Control{Fault::hears_no_first_byte, "hears_no_first_byte", "founded transitions"},
        Control{Fault::repeats_early_closes, "repeats_early_closes", ""},
        Control{Fault::forgets_what_was_saved, "forgets_what_was_saved",
                "what was known is known again"},
        Control{Fault::restores_what_is_too_old, "restores_what_is_too_old", ""},
        Control{Fault::overrules_the_configuration, "overrules_the_configuration", ""}),
    [](const auto& control) { return std::string(control.param.rule); });

TEST(World, unbroken_world_holds) {
  for (const uint64_t seed : {1U, 2U, 3U}) {
    World world({.seed = seed, .fault = Fault::none, .is_verbose = false});
    for (int step = 0; step < 100'000; ++step) {
      ASSERT_TRUE(world.step()) << "seed " << seed << ": " << *world.checker().violation();
    }
  }
}

}  // namespace
}  // namespace sluice::sim
