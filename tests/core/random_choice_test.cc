// The policy `random`, and least_connections where it draws, too.
#include <algorithm>
#include <numeric>

#include "policy_rig.h"

namespace sluice {
namespace {

constexpr size_t kPicks = 60'000;

PolicyRig with_choices(uint32_t choices, uint64_t seed = 1) {
  return PolicyRig({.policy = BalancePolicy::random, .choices = choices}, seed);
}

TEST(RandomChoice, one_choice_is_random_by_weight) {
  auto rig = with_choices(1);
  rig.adopt(named_backends({1, 2, 0, 5}));
  const auto counts = rig.counts(kPicks);
  for (size_t i = 0; i < 4; ++i)
    expect_by_chance(counts[i], kPicks, rig.backends[i]->weight() / 8.0);
}

// Each of the six orders has its own probability: 3/6 * 2/3 for the first, and so on.
TEST(RandomChoice, order_is_drawn_by_weight_without_replacement) {
  auto rig = with_choices(1);
  const std::vector<uint32_t> weights{3, 2, 1};
  rig.adopt(named_backends(weights));
  std::map<std::vector<std::string>, size_t> orders;
  for (size_t i = 0; i < kPicks; ++i) ++orders[rig.offered()];
  EXPECT_EQ(orders.size(), 6U);
  std::vector<size_t> order{0, 1, 2};
  do {
    const double first = weights[order[0]] / 6.0;
    const double second = weights[order[1]] / static_cast<double>(6 - weights[order[0]]);
    std::vector<std::string> names;
    for (const size_t index : order) names.push_back(rig.backends[index]->name());
    expect_by_chance(orders[names], kPicks, first * second);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(RandomChoice, two_choices_are_two_different_ones) {
  auto rig = with_choices(2);
  rig.adopt(equal_backends(2));
  rig.set_connections(0, 1);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(rig.choose(), 1U);
}

TEST(RandomChoice, two_choices_never_take_the_most_loaded) {
  auto rig = with_choices(2);
  rig.adopt(equal_backends(5));
  for (size_t i = 0; i < 5; ++i) rig.set_connections(i, static_cast<uint32_t>(i));
  const auto counts = rig.counts(kPicks);
  EXPECT_EQ(counts[4], 0U);
  // It is chosen when it is drawn and no lesser one is: of ten pairs, four, three, two and one.
  for (size_t i = 0; i < 4; ++i) {
    expect_by_chance(counts[i], kPicks, static_cast<double>(4 - i) / 10);
  }
}

TEST(RandomChoice, load_is_compared_for_the_weight) {
  auto rig = with_choices(2);
  rig.adopt(named_backends({1, 10}));
  rig.set_connections(0, 1);
  rig.set_connections(1, 9);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rig.choose(), 1U) << "2/1 against 10/10";
  rig.set_connections(1, 20);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(rig.choose(), 0U) << "2/1 against 21/10";
}

TEST(RandomChoice, equal_ones_are_chosen_evenly) {
  auto rig = with_choices(2);
  rig.adopt(equal_backends(7));
  for (const size_t count : rig.counts(kPicks)) expect_by_chance(count, kPicks, 1 / 7.0);
}

TEST(RandomChoice, those_alive_share_evenly_also_beside_a_block_of_dead_ones) {
  auto rig = with_choices(2);
  rig.adopt(equal_backends(40));
  for (size_t i = 0; i < 30; ++i) rig.kill(i);
  const auto counts = rig.counts(kPicks);
  for (size_t i = 30; i < 40; ++i) expect_by_chance(counts[i], kPicks, 0.1);
}

size_t greatest_after(uint32_t choices, size_t connections) {
  auto rig = with_choices(choices);
  rig.adopt(equal_backends(100));
  for (size_t i = 0; i < connections; ++i) rig.place();
  size_t greatest = 0;
  for (const auto& backend : rig.backends) {
    greatest = std::max<size_t>(greatest, backend->active_connections());
  }
  return greatest;
}

TEST(RandomChoice, two_choices_keep_the_greatest_near_the_average) {
  EXPECT_LE(greatest_after(2, 10'000), 100U + 4);
  EXPECT_GT(greatest_after(1, 10'000), 100U + 10) << "the control: one choice does not";
}

TEST(RandomChoice, changed_weights_count_within_a_few_picks) {
  auto rig = with_choices(1);
  rig.adopt(named_backends({1, 1, 0, 1}));
  rig.counts(10);
  rig.backends[0]->set_weight(0);
  rig.backends[2]->set_weight(6);
  rig.counts(2);
  const auto counts = rig.counts(kPicks);
  EXPECT_EQ(counts[0], 0U);
  expect_by_chance(counts[1], kPicks, 1 / 8.0);
  expect_by_chance(counts[2], kPicks, 6 / 8.0);
}

// --- least_connections with more candidates than it looks at ------------------------------------

TEST(SampledLeastConnections, fills_up_evenly_by_weight) {
  PolicyRig rig({.policy = BalancePolicy::least_connections});
  std::vector<uint32_t> weights(3000, 1);
  for (size_t i = 0; i < weights.size(); i += 3) weights[i] = 4;
  rig.adopt(named_backends(weights));
  // Ten for each one of weight 1.
  for (size_t i = 0; i < 10 * 6000; ++i) rig.place();
  for (const auto& backend : rig.backends) {
    EXPECT_NEAR(backend->active_connections(), 10.0 * backend->weight(), 2.0 * backend->weight())
        << backend->name();
  }
}

TEST(SampledLeastConnections, up_to_512_are_exact_and_more_are_not) {
  for (const size_t count : {512U, 513U}) {
    PolicyRig rig({.policy = BalancePolicy::least_connections});
    rig.adopt(equal_backends(count));
    for (size_t i = 0; i < count; ++i) rig.set_connections(i, i == 300 ? 1 : 2);
    size_t exact = 0;
    for (int i = 0; i < 200; ++i) exact += rig.choose() == 300U;
    if (count == 512) {
      EXPECT_EQ(exact, 200U);
    } else {
      EXPECT_LT(exact, 20U) << "the control: drawn in 5 of 513 picks";
    }
  }
}

TEST(SampledLeastConnections, half_dead_leaves_the_others_even) {
  PolicyRig rig({.policy = BalancePolicy::least_connections});
  rig.adopt(equal_backends(1000));
  for (size_t i = 0; i < 500; ++i) rig.kill(i);
  for (size_t i = 0; i < 5000; ++i) rig.place();
  for (size_t i = 500; i < 1000; ++i) {
    EXPECT_NEAR(rig.backends[i]->active_connections(), 10, 3) << i;
  }
}

}  // namespace
}  // namespace sluice
