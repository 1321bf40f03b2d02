#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "support.h"

namespace sluice {
namespace {

// Candidates named A, B, C... and who was chosen, as a string.
class RoundRobinTest : public ::testing::Test {
 protected:
  void adopt(const std::vector<uint32_t>& weights) { adopt_list(make_backends(weights)); }
  // A balancer's candidates outlive its next adopt().
  void adopt_list(std::vector<std::shared_ptr<Backend>> list) {
    backends = list;
    levels.emplace_back().backends = std::move(list);
    balancer->adopt(levels.back());
  }
  void restart(uint64_t seed) {
    balancer = make_balancer({.policy = BalancePolicy::round_robin}, Random(seed));
  }

  char choose() {
    const auto index = balancer->choose(
        kRequest, [this](const Backend& candidate) { return dead.count(&candidate) == 0; });
    return index ? static_cast<char>('A' + *index) : '-';
  }
  std::string choose_times(size_t times) {
    std::string chosen;
    for (size_t i = 0; i < times; ++i) chosen += choose();
    return chosen;
  }
  // The same with the first 'A' in front.
  std::string choose_from_a(size_t times) {
    std::string chosen = choose_times(times * 2);
    chosen.erase(0, chosen.find('A'));
    return chosen.substr(0, times);
  }

  static size_t longest_run(const std::string& text) {
    size_t longest = 0;
    size_t run = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      run = i > 0 && text[i] == text[i - 1] ? run + 1 : 1;
      longest = std::max(longest, run);
    }
    return longest;
  }
  static std::map<char, size_t> counts(const std::string& text) {
    std::map<char, size_t> result;
    for (const char c : text) ++result[c];
    return result;
  }

  std::unique_ptr<Balancer> balancer =
      make_balancer({.policy = BalancePolicy::round_robin}, Random(1));
  std::vector<std::shared_ptr<Backend>> backends;
  std::deque<PriorityLevel> levels;
  std::set<const Backend*> dead;
};

TEST_F(RoundRobinTest, equal_weights_take_turns_in_order) {
  adopt({1, 1, 1});
  EXPECT_EQ(choose_from_a(9), "ABCABCABC");
  restart(1);
  adopt({7, 7, 7, 7});
  EXPECT_EQ(choose_from_a(9), "ABCDABCDA");
}

TEST_F(RoundRobinTest, starts_at_a_random_position) {
  std::set<char> first;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    restart(seed);
    adopt({1, 1, 1});
    first.insert(choose());
  }
  EXPECT_EQ(first, (std::set<char>{'A', 'B', 'C'}));
}

TEST_F(RoundRobinTest, no_candidates_no_choice) {
  adopt({});
  EXPECT_EQ(choose(), '-');
}

TEST_F(RoundRobinTest, weights_are_exact_over_a_round) {
  for (const auto& weights : std::vector<std::vector<uint32_t>>{
           {5, 1, 1}, {1, 2, 3, 4}, {10, 1}, {100, 99, 1}, {3, 3, 1}, {1000, 1}, {13, 7, 2}}) {
    for (uint64_t seed = 0; seed < 10; ++seed) {
      restart(seed);
      adopt(weights);
      size_t round = 0;
      for (const uint32_t weight : weights) round += weight;
      const auto chosen = counts(choose_times(10 * round));
      for (size_t i = 0; i < weights.size(); ++i) {
        const auto name = static_cast<char>('A' + i);
        const auto got = static_cast<int64_t>(chosen.at(name));
        EXPECT_LE(std::abs(got - int64_t{10} * weights[i]), 1) << name << " seed " << seed;
      }
    }
  }
}

TEST_F(RoundRobinTest, heavy_backend_does_not_get_its_turns_in_a_row) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    restart(seed);
    adopt({5, 1, 1});
    EXPECT_LE(longest_run(choose_times(70)), 4U) << "as nginx's smooth order, at its seams";
  }
}

TEST_F(RoundRobinTest, turns_of_each_backend_are_spread_evenly) {
  adopt({6, 3, 2, 1});
  const std::string chosen = choose_times(1200);
  for (size_t i = 0; i < backends.size(); ++i) {
    const size_t every = 12 / backends[i]->weight();
    const auto name = static_cast<char>('A' + i);
    for (size_t last = chosen.find(name), next = chosen.find(name, last + 1);
         next != std::string::npos; last = next, next = chosen.find(name, last + 1)) {
      EXPECT_LE(next - last, every + backends.size() - 1) << name << " at " << last;
    }
  }
}

TEST_F(RoundRobinTest, two_of_equal_weight_alternate_also_beside_a_third) {
  adopt({1, 1, 2});
  std::string chosen = choose_times(400);
  std::erase(chosen, 'C');
  EXPECT_EQ(longest_run(chosen), 1U);
}

TEST_F(RoundRobinTest, each_candidate_is_offered_at_most_once) {
  adopt({1, 5, 100, 0, 2});
  std::map<const Backend*, int> offers;
  const auto nobody = balancer->choose(kRequest, [&](const Backend& candidate) {
    ++offers[&candidate];
    return false;
  });
  EXPECT_FALSE(nobody);
  EXPECT_EQ(offers.size(), 4U) << "weight 0 is not offered";
  for (const auto& [backend, count] : offers) EXPECT_EQ(count, 1);
}

TEST_F(RoundRobinTest, others_share_the_turns_of_a_dead_one_evenly) {
  adopt({1, 1, 1, 1});
  dead.insert(backends[1].get());
  EXPECT_EQ(choose_from_a(9), "ACDACDACD");
}

TEST_F(RoundRobinTest, recovered_backend_gets_its_share_and_no_burst) {
  for (const uint32_t weight : {1U, 5U}) {
    restart(weight);
    adopt({weight, 1, 1});
    dead.insert(backends[0].get());
    choose_times(1000);
    dead.clear();
    const std::string chosen = choose_times((weight + 2) * 10);
    EXPECT_LE(longest_run(chosen), weight);
    EXPECT_LE(counts(chosen).at('A'), weight * 10 + 1);
  }
}

TEST_F(RoundRobinTest, recovery_of_all_starts_even) {
  adopt({1, 1, 1});
  for (const auto& backend : backends) dead.insert(backend.get());
  EXPECT_EQ(choose_times(10), "----------");
  dead.clear();
  EXPECT_EQ(choose_from_a(9), "ABCABCABC");
}

TEST_F(RoundRobinTest, recovery_of_all_brings_the_heavy_one_no_burst) {
  adopt({5, 1, 1});
  for (const auto& backend : backends) dead.insert(backend.get());
  choose_times(1000);
  dead.clear();
  const std::string chosen = choose_times(70);
  EXPECT_LE(longest_run(chosen), 4U);
  EXPECT_NEAR(static_cast<double>(counts(chosen).at('A')), 50, 1);
}

TEST_F(RoundRobinTest, weight_zero_gets_nothing_and_comes_back_when_raised) {
  adopt({1, 0, 1});
  EXPECT_EQ(choose_from_a(6), "ACACAC");
  backends[1]->set_weight(1);
  choose_times(3);
  EXPECT_EQ(counts(choose_times(300)),
            (std::map<char, size_t>{{'A', 100}, {'B', 100}, {'C', 100}}));
  backends[1]->set_weight(0);
  EXPECT_EQ(counts(choose_times(300)).count('B'), 0U);
}

TEST_F(RoundRobinTest, raised_weight_is_found_when_nobody_else_is_there) {
  adopt({0, 0, 0, 0, 0});
  EXPECT_EQ(choose(), '-');
  backends[3]->set_weight(1);
  EXPECT_EQ(choose_times(3), "DDD");
}

TEST_F(RoundRobinTest, raised_weight_is_found_when_all_others_decline) {
  adopt({1, 0, 0, 0, 0});
  dead.insert(backends[0].get());
  backends[3]->set_weight(1);
  EXPECT_EQ(choose(), 'D');
}

TEST_F(RoundRobinTest, changed_weight_counts_from_the_next_turn) {
  adopt({1, 1});
  choose_times(10);
  backends[0]->set_weight(3);
  choose_times(2);
  const auto chosen = counts(choose_times(400));
  EXPECT_NEAR(static_cast<double>(chosen.at('A')), 300, 2);
}

TEST_F(RoundRobinTest, those_who_stay_keep_their_turns_over_a_reload) {
  adopt({1, 1, 1, 1});
  const std::string before = choose_times(2);
  adopt_list(backends);
  const std::string order = "ABCDABCDABCD";
  EXPECT_NE(order.find(before + choose_times(4)), std::string::npos);
}

TEST_F(RoundRobinTest, newcomer_gets_its_share_and_no_burst) {
  adopt({1, 1});
  choose_times(1000);
  auto more = backends;
  more.push_back(make_backends({1, 1, 1})[2]);
  adopt_list(more);
  const std::string chosen = choose_times(30);
  EXPECT_EQ(longest_run(chosen), 1U);
  EXPECT_NEAR(static_cast<double>(counts(chosen).at('C')), 10, 1);
}

TEST_F(RoundRobinTest, reloads_all_the_time_do_not_starve_anybody) {
  adopt({1, 1, 1});
  std::string chosen;
  for (int i = 0; i < 300; ++i) {
    adopt_list(backends);
    chosen += choose();
  }
  EXPECT_EQ(counts(chosen), (std::map<char, size_t>{{'A', 100}, {'B', 100}, {'C', 100}}));
}

// Deadlines are set back about every 1500 rounds; without that they would overflow after some 6000.
TEST_F(RoundRobinTest, order_survives_the_rebasing_of_virtual_time) {
  adopt({1, 1});
  const char first = choose();
  for (int i = 0; i < 100'000; ++i) {
    const auto expected = (i % 2 == 0) == (first == 'A') ? 'B' : 'A';
    ASSERT_EQ(choose(), expected) << "pick " << i;
  }
}

TEST_F(RoundRobinTest, shares_survive_the_rebasing_of_virtual_time) {
  adopt({5, 1, 0, 1});
  const auto chosen = counts(choose_times(700'000));
  EXPECT_NEAR(static_cast<double>(chosen.at('A')), 500'000, 1);
  EXPECT_NEAR(static_cast<double>(chosen.at('B')), 100'000, 1);
}

}  // namespace
}  // namespace sluice
