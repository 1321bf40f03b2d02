#include <gtest/gtest.h>

#include <deque>
#include <set>
#include <string>

#include "support.h"

namespace sluice {
namespace {

class LeastConnectionsTest : public ::testing::Test {
 protected:
  void adopt(const std::vector<uint32_t>& weights) { adopt_list(make_backends(weights)); }
  // A balancer's candidates outlive its next adopt().
  void adopt_list(std::vector<std::shared_ptr<Backend>> list) {
    backends = list;
    levels.emplace_back().backends = std::move(list);
    balancer->adopt(levels.back());
  }
  void set_connections(size_t index, uint32_t count) {
    while (backends[index]->active_connections() > count) backends[index]->remove_connection();
    while (backends[index]->active_connections() < count) backends[index]->add_connection();
  }
  std::optional<size_t> choose() {
    return balancer->choose(
        kRequest, [this](const Backend& candidate) { return dead.count(&candidate) == 0; });
  }
  std::string choose_times(int times) {
    std::string chosen;
    for (int i = 0; i < times; ++i) chosen += static_cast<char>('A' + choose().value());
    return chosen;
  }
  // In the order in which they are offered when everybody declines.
  std::vector<size_t> offered() {
    std::vector<size_t> order;
    balancer->choose(kRequest, [&](const Backend& candidate) {
      for (size_t i = 0; i < backends.size(); ++i) {
        if (backends[i].get() == &candidate) order.push_back(i);
      }
      return false;
    });
    return order;
  }

  std::unique_ptr<Balancer> balancer =
      make_balancer({.policy = BalancePolicy::least_connections}, Random(1));
  std::vector<std::shared_ptr<Backend>> backends;
  std::deque<PriorityLevel> levels;
  std::set<const Backend*> dead;
};

TEST_F(LeastConnectionsTest, chooses_the_one_with_the_fewest) {
  adopt({1, 1, 1});
  set_connections(0, 3);
  set_connections(1, 1);
  set_connections(2, 2);
  EXPECT_EQ(choose(), 1U);
  EXPECT_EQ(offered(), (std::vector<size_t>{1, 2, 0}));
}

TEST_F(LeastConnectionsTest, ties_go_round) {
  adopt({1, 1, 1});
  const std::string chosen = choose_times(9);
  EXPECT_NE(std::string("ABCABCABCABC").find(chosen), std::string::npos) << chosen;
}

TEST_F(LeastConnectionsTest, starts_at_a_random_position) {
  std::set<size_t> first;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    balancer = make_balancer({.policy = BalancePolicy::least_connections}, Random(seed));
    adopt({1, 1, 1});
    first.insert(choose().value());
  }
  EXPECT_EQ(first.size(), 3U);
}

TEST_F(LeastConnectionsTest, weighs_connections_with_the_one_to_come) {
  adopt({1, 3});
  set_connections(0, 0);
  set_connections(1, 1);
  EXPECT_EQ(choose(), 1U) << "1/1 against 2/3";
  set_connections(1, 3);
  EXPECT_EQ(choose(), 0U) << "1/1 against 4/3";
}

TEST_F(LeastConnectionsTest, fills_up_in_proportion_to_the_weights) {
  adopt({1, 2, 5});
  for (int i = 0; i < 800; ++i) backends[choose().value()]->add_connection();
  EXPECT_EQ(backends[0]->active_connections(), 100U);
  EXPECT_EQ(backends[1]->active_connections(), 200U);
  EXPECT_EQ(backends[2]->active_connections(), 500U);
}

TEST_F(LeastConnectionsTest, great_counts_do_not_overflow) {
  adopt({1000, 1});
  set_connections(0, 5'000'000);
  set_connections(1, 4'999);
  EXPECT_EQ(choose(), 1U);
  set_connections(1, 5'001);
  EXPECT_EQ(choose(), 0U);
}

TEST_F(LeastConnectionsTest, weight_zero_is_not_offered) {
  adopt({0, 1, 0});
  EXPECT_EQ(offered(), (std::vector<size_t>{1}));
  backends[1]->set_weight(0);
  EXPECT_FALSE(choose());
  backends[2]->set_weight(4);
  EXPECT_EQ(choose(), 2U);
}

TEST_F(LeastConnectionsTest, no_candidates_no_choice) {
  adopt({});
  EXPECT_FALSE(choose());
}

TEST_F(LeastConnectionsTest, each_is_offered_at_most_once_and_the_best_first) {
  adopt({1, 1, 1, 1, 1, 1});
  const std::vector<uint32_t> connections{5, 3, 8, 0, 3, 1};
  for (size_t i = 0; i < connections.size(); ++i) set_connections(i, connections[i]);
  const auto order = offered();
  ASSERT_EQ(order.size(), 6U);
  for (size_t i = 1; i < order.size(); ++i) {
    EXPECT_LE(connections[order[i - 1]], connections[order[i]]);
  }
  EXPECT_EQ(std::set<size_t>(order.begin(), order.end()).size(), 6U);
}

TEST_F(LeastConnectionsTest, dead_one_without_connections_does_not_hide_the_others) {
  adopt({1, 1, 1});
  dead.insert(backends[1].get());
  const std::string chosen = choose_times(6);
  EXPECT_EQ(chosen.find('B'), std::string::npos);
  EXPECT_NE(std::string("ACACACA").find(chosen), std::string::npos) << "ties still go round";
}

TEST_F(LeastConnectionsTest, turn_stays_with_its_owner_over_a_reload) {
  adopt({1, 1, 1, 1});
  const size_t last = choose().value();
  const auto expected = backends[(last + 1) % 4];
  adopt_list({backends.rbegin(), backends.rend()});
  EXPECT_EQ(backends[choose().value()], expected);
}

TEST_F(LeastConnectionsTest, turn_of_a_removed_one_goes_to_the_next) {
  adopt({1, 1, 1, 1});
  while (choose() != 0U) {
  }
  adopt_list({backends[0], backends[2], backends[3]});
  EXPECT_EQ(choose(), 1U);
}

}  // namespace
}  // namespace sluice
