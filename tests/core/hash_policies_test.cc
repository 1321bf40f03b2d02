// source_hash and maglev: who gets whom, and that every process thinks so.
#include <algorithm>

#include "policy_rig.h"

namespace sluice {
namespace {

constexpr size_t kClients = 60'000;

class HashPolicy : public ::testing::TestWithParam<BalancePolicy> {
 protected:
  PolicyRig rig_of(Backends backends, uint64_t seed = 1) {
    PolicyRig rig({.policy = GetParam()}, seed);
    rig.adopt(std::move(backends));
    return rig;
  }
  static std::vector<std::string> choices(PolicyRig& rig, size_t clients = kClients) {
    std::vector<std::string> names;
    for (uint32_t i = 0; i < clients; ++i) names.push_back(rig.choose_name(client_v4(i)));
    return names;
  }
  // The last digits of those chosen.
  static std::string digits(PolicyRig& rig, const std::vector<IpBytes>& clients) {
    std::string text;
    for (const IpBytes& client : clients) text += rig.choose_name(client).back();
    return text;
  }
};

// Made by an independent program. They may never change: see stable_hash_test.cc.
TEST_P(HashPolicy, choices_are_the_same_for_ever) {
  auto rig = rig_of(named_backends({1, 1, 2, 3, 1}));
  std::vector<IpBytes> v4, v6;
  for (uint32_t i = 0; i < 24; ++i) v4.push_back(client_v4(i));
  for (uint8_t i = 0; i < 8; ++i) v6.push_back(client_v6(0, i));
  const bool is_maglev = GetParam() == BalancePolicy::maglev;
  EXPECT_EQ(digits(rig, v4), is_maglev ? "304123333013023033142340" : "302223032334130220324413");
  EXPECT_EQ(digits(rig, v6), is_maglev ? "20421334" : "42432012");
}

TEST_P(HashPolicy, order_of_the_backends_and_the_process_have_no_influence) {
  auto backends = named_backends({1, 1, 5, 2, 1, 1, 0, 3, 1, 1});
  auto rig = rig_of(backends, 1);
  const auto expected = choices(rig, 2000);
  const auto expected_order = rig.offered(client_v4(5));
  for (uint64_t seed = 2; seed < 6; ++seed) {
    std::next_permutation(backends.begin(), backends.end());
    std::rotate(backends.begin(), backends.begin() + 3, backends.end());
    auto other = rig_of(backends, seed);
    EXPECT_EQ(choices(other, 2000), expected);
    EXPECT_EQ(other.offered(client_v4(5)), expected_order);
  }
}

TEST_P(HashPolicy, clients_are_spread_by_weight) {
  auto rig = rig_of(named_backends({1, 2, 0, 5, 1000}));
  const auto counts = rig.counts(kClients);
  for (size_t i = 0; i < 5; ++i) {
    expect_by_chance(counts[i], kClients, rig.backends[i]->weight() / 1008.0);
  }
  auto equal = rig_of(equal_backends(100));
  for (const size_t count : equal.counts(kClients)) expect_by_chance(count, kClients, 0.01);
}

TEST_P(HashPolicy, clients_without_an_address_are_spread_at_random) {
  auto rig = rig_of(named_backends({1, 3}));
  size_t first = 0;
  for (size_t i = 0; i < kClients; ++i) first += rig.choose() == 0U;
  expect_by_chance(first, kClients, 0.25);
}

TEST_P(HashPolicy, clients_of_a_dead_one_are_spread_over_the_others_and_nobody_else_moves) {
  auto rig = rig_of(named_backends({1, 1, 2, 1, 3}));
  const auto before = choices(rig);
  rig.kill(3);
  const auto during = choices(rig);
  std::map<std::string, size_t> moved_to;
  size_t moved = 0;
  for (size_t i = 0; i < kClients; ++i) {
    if (before[i] == "backend-3") {
      ++moved_to[during[i]];
      ++moved;
    } else {
      ASSERT_EQ(during[i], before[i]);
    }
  }
  for (const size_t other : {0U, 1U, 2U, 4U}) {
    const Backend& backend = *rig.backends[other];
    expect_by_chance(moved_to[backend.name()], moved, backend.weight() / 7.0);
  }
  rig.dead.clear();
  EXPECT_EQ(choices(rig), before) << "they come back";
}

// Of those that were not on the backend that came or went.
size_t moved_for_nothing(const std::vector<std::string>& more, const std::vector<std::string>& less,
                         const std::string& gone) {
  size_t moved = 0;
  for (size_t i = 0; i < more.size(); ++i) moved += more[i] != gone && more[i] != less[i];
  return moved;
}

TEST_P(HashPolicy, one_that_comes_or_goes_moves_its_own_clients_and_hardly_any_other) {
  for (const size_t count : {10U, 100U, 1000U}) {
    auto backends = equal_backends(count);
    auto rig = rig_of(backends);
    const auto with_all = choices(rig);
    backends.erase(backends.begin() + 4);
    rig.adopt(backends);
    const auto without = choices(rig);
    const size_t own =
        static_cast<size_t>(std::count(with_all.begin(), with_all.end(), std::string("backend-4")));
    expect_by_chance(own, kClients, 1.0 / static_cast<double>(count));
    const size_t others = moved_for_nothing(with_all, without, "backend-4");
    RecordProperty("others_moved_" + std::to_string(count), std::to_string(others));
    if (GetParam() == BalancePolicy::source_hash) {
      EXPECT_EQ(others, 0U);
    } else {
      EXPECT_LT(others, kClients / 50) << "two percent, of " << count;
    }
    backends.insert(backends.begin(), rig_of(equal_backends(count)).backends[4]);
    rig.adopt(backends);
    EXPECT_EQ(choices(rig), with_all) << "as before when it is back, at another place";
  }
}

// The control: what a hash modulo the number of backends would do.
TEST(HashPolicyControl, modulo_moves_nearly_all) {
  size_t moved = 0;
  for (uint32_t i = 0; i < 1000; ++i) moved += i % 10 != i % 9;
  EXPECT_GT(moved, 800U);
}

TEST_P(HashPolicy, changed_weight_takes_clients_from_all_alike) {
  auto backends = named_backends({2, 2, 2, 2});
  auto rig = rig_of(backends);
  const auto before = choices(rig);
  backends[1]->set_weight(4);
  rig.adopt(backends);
  const auto after = choices(rig);
  size_t moved = 0, elsewhere = 0;
  for (size_t i = 0; i < kClients; ++i) {
    moved += before[i] != after[i];
    elsewhere += before[i] != after[i] && after[i] != "backend-1";
  }
  // From a quarter to two fifths.
  EXPECT_NEAR(static_cast<double>(moved), 0.15 * kClients, 0.15 * 0.5 * kClients);
  if (GetParam() == BalancePolicy::source_hash) {
    EXPECT_EQ(elsewhere, 0U);
  }
}

TEST_P(HashPolicy, networks_stay_together_when_a_prefix_says_so) {
  PolicyRig rig({.policy = GetParam(), .prefix_v4 = 24, .prefix_v6 = 64});
  rig.adopt(equal_backends(20));
  std::set<std::string> of_network, of_networks;
  for (uint32_t i = 0; i < 256; ++i) {
    of_network.insert(rig.choose_name(client_v4(0x010200 + i)));
    of_network.insert(rig.choose_name(client_v4(0x010200 + i)));
    of_networks.insert(rig.choose_name(client_v4(i << 8U)));
  }
  EXPECT_EQ(of_network.size(), 1U);
  EXPECT_EQ(of_networks.size(), 20U);
}

INSTANTIATE_TEST_SUITE_P(policies, HashPolicy,
                         ::testing::Values(BalancePolicy::source_hash, BalancePolicy::maglev),
                         [](const auto& policy) { return std::string(name(policy.param)); });

// --- in a cluster --------------------------------------------------------------------------------

class HashCluster : public ClusterTest, public ::testing::WithParamInterface<BalancePolicy> {
 protected:
  HashCluster() { settings.balance.policy = GetParam(); }
  static std::vector<BackendSettings> ten() {
    std::vector<BackendSettings> backends;
    for (uint32_t i = 0; i < 10; ++i) backends.push_back(named_backend(i, 1 + i % 3));
    return backends;
  }
  std::string backend_for(Picker& picker, uint32_t client) {
    const auto lease = picker.pick({.tried = {}, .now = now, .client = client_v4(client)});
    return lease ? lease->backend()->name() : "-";
  }
};

TEST_P(HashCluster, two_with_their_backends_in_different_order_send_clients_to_the_same_ones) {
  apply(ten());
  auto other = std::make_shared<Cluster>(
      "web", [](const Transition&) {}, Random(99));
  auto backends = ten();
  std::reverse(backends.begin(), backends.end());
  const auto others = other->apply(settings, backends, Arrival::cold_start, now);
  Picker here(snapshot, Random(1));
  Picker there(others, Random(1234));
  for (uint32_t i = 0; i < 3000; ++i) ASSERT_EQ(backend_for(here, i), backend_for(there, i));
  // Also about where the clients of an unavailable one go.
  cluster->set_admin_state(backend(2), AdminState::maintenance, now);
  other->set_admin_state(*others->levels[0].backends[7], AdminState::maintenance, now);
  for (uint32_t i = 0; i < 3000; ++i) ASSERT_EQ(backend_for(here, i), backend_for(there, i));
}

TEST_P(HashCluster, retry_goes_to_the_next_in_order) {
  apply(ten());
  Picker picker(snapshot, random);
  for (uint32_t i = 0; i < 100; ++i) {
    TriedBackends tried;
    for (size_t attempt = 0; attempt < 10; ++attempt) {
      const auto lease = picker.pick({.tried = tried, .now = now, .client = client_v4(i)});
      ASSERT_TRUE(lease);
      EXPECT_EQ(std::count(tried.begin(), tried.end(), lease->backend().get()), 0);
      tried.push_back(lease->backend().get());
    }
  }
}

TEST_P(HashCluster, changed_prefix_takes_effect_with_the_snapshot) {
  apply(ten());
  Picker picker(snapshot, random);
  settings.balance.prefix_v4 = 16;
  apply(ten());
  picker.adopt(snapshot);
  const auto first = backend_for(picker, 0);
  for (uint32_t i = 0; i < 300; ++i) EXPECT_EQ(backend_for(picker, i), first);
}

INSTANTIATE_TEST_SUITE_P(policies, HashCluster,
                         ::testing::Values(BalancePolicy::source_hash, BalancePolicy::maglev),
                         [](const auto& policy) { return std::string(name(policy.param)); });

}  // namespace
}  // namespace sluice
