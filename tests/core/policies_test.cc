// What every policy promises, whatever its order.
#include <algorithm>

#include "policy_rig.h"

namespace sluice {
namespace {

class EveryPolicy : public ::testing::TestWithParam<BalanceSettings> {
 protected:
  PolicyRig rig{GetParam()};
};

TEST_P(EveryPolicy, offers_each_candidate_once_when_all_decline) {
  for (const size_t count : {2U, 3U, 33U, 600U}) {
    rig.adopt(equal_backends(count));
    for (uint32_t i = 0; i < 20; ++i) {
      const auto names = rig.offered(client_v4(i));
      EXPECT_EQ(names.size(), count);
      EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), count);
    }
  }
}

TEST_P(EveryPolicy, has_no_choice_without_candidates) {
  rig.adopt({});
  EXPECT_FALSE(rig.choose());
  EXPECT_FALSE(rig.choose(client_v4(1)));
  rig.adopt(named_backends({0, 0}));
  EXPECT_FALSE(rig.choose());
  EXPECT_FALSE(rig.choose(client_v4(1)));
}

TEST_P(EveryPolicy, only_one_is_always_the_one) {
  rig.adopt(equal_backends(1));
  for (uint32_t i = 0; i < 100; ++i) EXPECT_EQ(rig.choose(client_v4(i)), 0U);
  rig.kill(0);
  EXPECT_FALSE(rig.choose(client_v4(1)));
}

TEST_P(EveryPolicy, weight_zero_is_never_offered) {
  rig.adopt(named_backends({0, 1, 0, 2, 0}));
  for (uint32_t i = 0; i < 100; ++i) {
    auto names = rig.offered(client_v4(i));
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names, (std::vector<std::string>{"backend-1", "backend-3"}));
  }
  rig.backends[3]->set_weight(0);
  for (uint32_t i = 0; i < 100; ++i) EXPECT_EQ(rig.choose(client_v4(i)), 1U);
}

TEST_P(EveryPolicy, weight_raised_from_zero_is_found_when_nobody_else_is_there) {
  rig.adopt(named_backends({0, 1, 0}));
  rig.kill(1);
  rig.backends[2]->set_weight(5);
  for (uint32_t i = 0; i < 10; ++i) EXPECT_EQ(rig.choose(client_v4(i)), 2U);
}

TEST_P(EveryPolicy, finds_the_last_one_alive) {
  for (const size_t count : {40U, 2000U}) {
    rig.adopt(equal_backends(count));
    for (size_t i = 0; i < count; ++i) {
      if (i != 17) rig.kill(i);
    }
    for (uint32_t i = 0; i < 10; ++i) EXPECT_EQ(rig.choose(client_v4(i)), 17U);
  }
}

TEST_P(EveryPolicy, survives_candidates_that_come_and_go) {
  Random random(7);
  auto all = equal_backends(700);
  for (int i = 0; i < 50; ++i) {
    Backends some;
    for (const auto& backend : all) {
      if (random.below(3) > 0) some.push_back(backend);
    }
    for (auto& backend : all) backend->set_weight(static_cast<uint32_t>(random.below(4)));
    rig.adopt(some);
    const auto names = rig.offered(client_v4(1));
    const auto with_weight = std::count_if(
        some.begin(), some.end(), [](const auto& backend) { return backend->weight() > 0; });
    EXPECT_EQ(names.size(), static_cast<size_t>(with_weight));
  }
}

INSTANTIATE_TEST_SUITE_P(
    policies, EveryPolicy,
    ::testing::Values(BalanceSettings{.policy = BalancePolicy::round_robin},
                      BalanceSettings{.policy = BalancePolicy::least_connections},
                      BalanceSettings{.policy = BalancePolicy::random},
                      BalanceSettings{.policy = BalancePolicy::random, .choices = 1},
                      BalanceSettings{.policy = BalancePolicy::random, .choices = kChoicesMax},
                      BalanceSettings{.policy = BalancePolicy::source_hash},
                      BalanceSettings{.policy = BalancePolicy::source_hash, .max_load = 125},
                      BalanceSettings{.policy = BalancePolicy::maglev},
                      BalanceSettings{.policy = BalancePolicy::maglev, .max_load = 125},
                      BalanceSettings{.policy = BalancePolicy::first}),
    [](const auto& settings) {
      return std::string(name(settings.param.policy)) + "_" +
             (settings.param.policy == BalancePolicy::random
                  ? std::to_string(settings.param.choices)
                  : (settings.param.max_load ? "bounded" : "plain"));
    });

TEST(First, fills_in_the_order_of_the_configuration) {
  PolicyRig rig({.policy = BalancePolicy::first});
  rig.adopt(named_backends({1, 1000, 1}));
  rig.set_connections(0, 100);
  EXPECT_EQ(rig.choose(), 0U);
  rig.kill(0);
  EXPECT_EQ(rig.choose(), 1U);
  rig.dead.clear();
  EXPECT_EQ(rig.choose(), 0U) << "back as soon as it takes some again";
}

}  // namespace
}  // namespace sluice
