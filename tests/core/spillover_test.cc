// How clients spread over priority levels: Envoy's documented examples, and what a cluster makes of
// its backends' states.
#include "sluice/core/spillover.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "support.h"

namespace sluice {
namespace {

constexpr double kEnvoysDefault = 140;

// The shares of levels of which so many percent are available, in whole percents.
std::vector<int> shares_of(const std::vector<uint32_t>& available_percent,
                           double overprovisioning = kEnvoysDefault) {
  std::vector<LevelStrength> levels;
  for (const uint32_t percent : available_percent) levels.push_back({percent, 100});
  std::vector<int> shares;
  uint32_t before = 0;
  for (const uint32_t reached : shares_up_to(levels, overprovisioning)) {
    shares.push_back(static_cast<int>(std::lround((reached - before) * 100.0 / kWholeShare)));
    before = reached;
  }
  return shares;
}

using Shares = std::vector<int>;

// The tables of Envoy's page. It rounds down to whole percents on the way, so its last row of three
// levels has 28 for 28.57.
TEST(Spillover, first_level_spills_over_to_the_second) {
  EXPECT_EQ(shares_of({100, 100}), (Shares{100, 0}));
  EXPECT_EQ(shares_of({72, 100}), (Shares{100, 0}));
  EXPECT_EQ(shares_of({71, 100}), (Shares{99, 1}));
  EXPECT_EQ(shares_of({50, 100}), (Shares{70, 30}));
  EXPECT_EQ(shares_of({25, 100}), (Shares{35, 65}));
  EXPECT_EQ(shares_of({0, 100}), (Shares{0, 100}));
}

TEST(Spillover, two_levels_degrade_together) {
  EXPECT_EQ(shares_of({72, 72}), (Shares{100, 0}));
  EXPECT_EQ(shares_of({71, 71}), (Shares{99, 1}));
  EXPECT_EQ(shares_of({50, 50}), (Shares{70, 30}));
  EXPECT_EQ(shares_of({25, 100}), (Shares{35, 65}));
  EXPECT_EQ(shares_of({25, 25}), (Shares{50, 50})) << "35 and 35, normalized";
}

TEST(Spillover, third_level_takes_what_two_cannot) {
  EXPECT_EQ(shares_of({100, 100, 100}), (Shares{100, 0, 0}));
  EXPECT_EQ(shares_of({71, 71, 100}), (Shares{99, 1, 0}));
  EXPECT_EQ(shares_of({50, 50, 100}), (Shares{70, 30, 0}));
  EXPECT_EQ(shares_of({25, 100, 100}), (Shares{35, 65, 0}));
  EXPECT_EQ(shares_of({25, 25, 100}), (Shares{35, 35, 30}));
  EXPECT_EQ(shares_of({25, 25, 20}), (Shares{36, 36, 29}));
}

TEST(Spillover, five_of_seven_are_exactly_enough) {
  EXPECT_EQ(shares_up_to(std::vector<LevelStrength>{{5, 7}, {1, 1}}, 140).front(), kWholeShare);
  EXPECT_LT(shares_up_to(std::vector<LevelStrength>{{4, 7}, {1, 1}}, 140).front(), kWholeShare);
}

TEST(Spillover, without_overprovisioning_every_missing_backend_counts) {
  EXPECT_EQ(shares_of({72, 100}, 100), (Shares{72, 28}));
  EXPECT_EQ(shares_of({100, 100}, 100), (Shares{100, 0}));
}

TEST(Spillover, nobody_available_leaves_it_to_the_first) {
  EXPECT_EQ(shares_of({0, 0, 0}), (Shares{100, 0, 0}));
  EXPECT_EQ(shares_of({0}), (Shares{100}));
}

TEST(Spillover, shares_add_up_to_the_whole_whatever_the_numbers) {
  Random random(17);
  for (int i = 0; i < 10'000; ++i) {
    std::vector<LevelStrength> levels(1 + random.below(5));
    for (LevelStrength& level : levels) {
      level.total = static_cast<uint32_t>(random.below(10'000));
      level.available = static_cast<uint32_t>(random.below(level.total + 1));
    }
    const auto shares = shares_up_to(levels, static_cast<double>(100 + random.below(200)));
    ASSERT_TRUE(std::is_sorted(shares.begin(), shares.end())) << "round " << i;
    ASSERT_EQ(shares.back(), kWholeShare) << "round " << i;
  }
}

class ClusterSpilloverTest : public ClusterTest {
 protected:
  // The first of priority 0, the others behind them.
  void apply_levels(const std::vector<uint8_t>& backends_of_levels) {
    std::vector<BackendSettings> backends;
    uint8_t number = 0;
    for (uint32_t priority = 0; priority < backends_of_levels.size(); ++priority) {
      for (uint8_t i = 0; i < backends_of_levels[priority]; ++i) {
        backends.push_back(backend_settings(++number, 1, priority));
      }
    }
    apply(backends);
  }
  // The transitions reach the control loop.
  void note_transitions() {
    for (const Transition& transition : transitions) cluster->take_note(transition, now);
    transitions.clear();
  }
  // How many of so many picks go to each priority.
  std::map<uint32_t, int> count_picks(int picks, uint64_t seed = 5) {
    std::map<uint32_t, int> counts;
    Picker picker(snapshot, Random(seed));
    for (int i = 0; i < picks; ++i) {
      const auto lease = picker.pick({.tried = {}, .now = now, .client = {}});
      if (lease) ++counts[lease->backend()->settings().priority];
    }
    return counts;
  }
  double share(size_t level) {
    const auto up_to = [&](size_t i) {
      return double{1.0} * snapshot->levels[i].share_up_to->load();
    };
    return 100 * (up_to(level) - (level == 0 ? 0 : up_to(level - 1))) / kWholeShare;
  }
};

using Counts = std::map<uint32_t, int>;

TEST_F(ClusterSpilloverTest, all_stay_while_enough_of_the_first_are_healthy) {
  apply_levels({7, 7});
  for (size_t i = 0; i < 2; ++i) probe(backend(i), false);
  EXPECT_EQ(count_picks(1000), (Counts{{0, 1000}}));
  probe(backend(2), false);
  EXPECT_NEAR(share(0), 80, 0.001);
}

TEST_F(ClusterSpilloverTest, picks_follow_the_shares) {
  apply_levels({4, 2});
  for (size_t i = 0; i < 2; ++i) probe(backend(i), false);
  constexpr int kPicks = 100'000;
  const Counts counts = count_picks(kPicks);
  // Five standard deviations of a draw of 70 %.
  EXPECT_NEAR(counts.at(0), 0.7 * kPicks, 5 * std::sqrt(0.7 * 0.3 * kPicks));
  EXPECT_EQ(counts.at(0) + counts.at(1), kPicks);
}

TEST_F(ClusterSpilloverTest, three_degraded_levels_share_as_documented) {
  apply_levels({4, 4, 1});
  for (const size_t i : {0U, 1U, 2U, 4U, 5U, 6U}) probe(backend(i), false);
  EXPECT_NEAR(share(0), 35, 0.001);
  EXPECT_NEAR(share(1), 35, 0.001);
  EXPECT_NEAR(share(2), 30, 0.001);
  const Counts counts = count_picks(10'000);
  EXPECT_NEAR(counts.at(2), 3000, 250);
}

TEST_F(ClusterSpilloverTest, open_breaker_counts_once_the_control_loop_knows) {
  apply_levels({2, 2});
  trip(backend(0));
  EXPECT_NEAR(share(0), 100, 0.001);
  note_transitions();
  EXPECT_NEAR(share(0), 70, 0.001);
}

TEST_F(ClusterSpilloverTest, half_open_is_not_available_and_closed_is_again) {
  apply_levels({2, 2});
  trip(backend(0));
  now += seconds(30);
  cluster->announce_half_open(now);
  note_transitions();
  EXPECT_NEAR(share(0), 70, 0.001);
  connect(backend(0), ConnectOutcome::connected);
  note_transitions();
  EXPECT_NEAR(share(0), 100, 0.001);
}

TEST_F(ClusterSpilloverTest, late_news_of_a_breaker_that_has_closed_since_changes_nothing) {
  apply_levels({2, 2});
  trip(backend(0));
  const auto old_news = std::exchange(transitions, {});
  now += seconds(30);
  connect(backend(0), ConnectOutcome::connected);
  note_transitions();
  for (const Transition& transition : old_news) cluster->take_note(transition, now);
  EXPECT_NEAR(share(0), 100, 0.001);
}

TEST_F(ClusterSpilloverTest, news_from_the_middle_of_a_change_counts_as_told) {
  std::vector<double> shares;
  Cluster* told = nullptr;
  const auto listening = std::make_shared<Cluster>(
      "web",
      [&](const Transition& transition) {
        told->take_note(transition, now);
        shares.push_back(share(0));
      },
      Random(2));
  cluster = listening;
  told = listening.get();
  apply_levels({2, 2});
  trip(backend(0));
  now += seconds(30);
  connect(backend(0), ConnectOutcome::connected);
  ASSERT_EQ(shares.size(), 3U);
  EXPECT_NEAR(shares[0], 70, 0.001) << "open";
  EXPECT_NEAR(shares[1], 70, 0.001) << "half_open";
  EXPECT_NEAR(shares[2], 100, 0.001) << "closed";
}

TEST_F(ClusterSpilloverTest, who_is_draining_is_missing_and_who_has_no_weight_is_no_part) {
  apply_levels({4, 1});
  cluster->set_weight(backend(1), 0, now);
  EXPECT_NEAR(share(0), 100, 0.001);
  cluster->set_admin_state(backend(0), AdminState::draining, now);
  EXPECT_NEAR(share(0), 140 * 2 / 3.0, 0.001);
  cluster->set_weight(backend(1), 1, now);
  cluster->set_admin_state(backend(0), AdminState::ready, now);
  EXPECT_NEAR(share(0), 100, 0.001);
}

TEST_F(ClusterSpilloverTest, breakers_that_are_off_do_not_count) {
  apply_levels({1, 1});
  const auto older = snapshot;
  settings.circuit_breaker.is_enabled = false;
  apply_levels({1, 1});
  for (int i = 0; i < 5; ++i) {
    const auto permit = cluster->admit(*older, older->levels[0], backend(0), now);
    cluster->record_connect(*older, backend(0), *permit, ConnectOutcome::refused, now, random);
  }
  ASSERT_EQ(breaker_state(backend(0)), BreakerState::open);
  note_transitions();
  EXPECT_NEAR(share(0), 100, 0.001);
}

TEST_F(ClusterSpilloverTest, first_level_that_is_dead_leaves_everything_to_the_second_at_once) {
  apply_levels({2, 1});
  for (size_t i = 0; i < 2; ++i) probe(backend(i), false);
  EXPECT_EQ(count_picks(1000), (Counts{{1, 1000}}));
}

TEST_F(ClusterSpilloverTest, stale_share_refuses_nobody) {
  apply_levels({2, 2});
  for (size_t i = 0; i < 2; ++i) trip(backend(i));
  EXPECT_EQ(count_picks(1000), (Counts{{1, 1000}})) << "the control loop has not heard of it";
  note_transitions();
  for (size_t i = 2; i < 4; ++i) trip(backend(i));
  now += seconds(30);
  connect(backend(0), ConnectOutcome::connected);
  EXPECT_EQ(count_picks(1000), (Counts{{0, 1000}}));
}

TEST_F(ClusterSpilloverTest, dead_first_level_gets_its_trials_from_clients) {
  apply_levels({2, 2});
  for (size_t i = 0; i < 2; ++i) trip(backend(i));
  note_transitions();
  now += seconds(30);
  Picker picker(snapshot, random);
  std::vector<Lease> held;
  int trials = 0;
  for (int i = 0; i < 10; ++i) {
    held.push_back(*picker.pick({.tried = {}, .now = now, .client = {}}));
    trials += held.back().is_trial();
  }
  EXPECT_EQ(trials, 2);
}

TEST_F(ClusterSpilloverTest, panic_ignores_health_but_no_breaker) {
  settings.panic_threshold = 60;
  apply_levels({4, 1});
  for (size_t i = 0; i < 2; ++i) probe(backend(i), false);
  ASSERT_TRUE(snapshot->levels[0].in_panic->load());
  EXPECT_NEAR(share(0), 100, 0.001);
  for (size_t i = 2; i < 4; ++i) trip(backend(i));
  note_transitions();
  EXPECT_NEAR(share(0), 70, 0.001);
}

TEST_F(ClusterSpilloverTest, reload_is_felt_at_once) {
  apply_levels({2, 1});
  probe(backend(0), false);
  EXPECT_NEAR(share(0), 70, 0.001);
  settings.balance.overprovisioning = 200;
  apply_levels({2, 1});
  EXPECT_NEAR(share(0), 100, 0.001);
  settings.balance.overprovisioning = 100;
  apply_levels({2, 1});
  EXPECT_NEAR(share(0), 50, 0.001);
}

TEST_F(ClusterSpilloverTest, older_snapshot_with_other_levels_still_serves) {
  apply({backend_settings(1, 1, 3)});
  const auto older = snapshot;
  apply({backend_settings(2, 1, 0), backend_settings(3, 1, 5)});
  probe(backend(0), false);
  Picker picker(older, random);
  EXPECT_TRUE(picker.pick({.tried = {}, .now = now, .client = {}}));
}

TEST_F(ClusterSpilloverTest, untried_backend_of_another_level_comes_before_a_tried_one) {
  apply_levels({2, 1});
  probe(backend(0), false);
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Picker picker(snapshot, Random(seed));
    const TriedBackends tried = {&backend(1)};
    const auto lease = picker.pick({.tried = tried, .now = now, .client = {}});
    EXPECT_EQ(lease->backend().get(), &backend(2));
  }
}

}  // namespace
}  // namespace sluice
