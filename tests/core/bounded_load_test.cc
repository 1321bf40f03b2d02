// max_load: consistent hashing with bounded loads, by both hashes.
#include <algorithm>
#include <numeric>

#include "policy_rig.h"

namespace sluice {
namespace {

class BoundedLoadTest : public ::testing::TestWithParam<BalancePolicy> {
 protected:
  PolicyRig rig{{.policy = GetParam(), .max_load = 125}};

  static size_t connections(const Backends& backends) {
    size_t sum = 0;
    for (const auto& backend : backends) sum += backend->active_connections();
    return sum;
  }
  // What one may have, the next connection included.
  static size_t capacity(const Backends& backends, const Backend& backend) {
    size_t weights = 0;
    for (const auto& each : backends) weights += each->weight();
    const size_t part = 125 * (connections(backends) + 1) * backend.weight();
    return (part + 100 * weights - 1) / (100 * weights);
  }
};

TEST_P(BoundedLoadTest, hot_client_never_fills_one_above_its_capacity) {
  rig.adopt(named_backends({1, 2, 1, 3, 1}));
  for (int i = 0; i < 2000; ++i) {
    std::vector<size_t> may;
    for (const auto& backend : rig.backends) may.push_back(capacity(rig.backends, *backend));
    const size_t chosen = rig.place(client_v4(1));
    ASSERT_LE(rig.backends[chosen]->active_connections(), may[chosen]) << "connection " << i;
  }
  for (const auto& backend : rig.backends) {
    EXPECT_LE(backend->active_connections(), 2000 * 1.25 * backend->weight() / 8 + 1);
  }
}

TEST_P(BoundedLoadTest, control_without_it_a_hot_client_fills_one_alone) {
  PolicyRig plain({.policy = GetParam()});
  plain.adopt(equal_backends(5));
  const size_t chosen = plain.place(client_v4(1));
  for (int i = 0; i < 500; ++i) EXPECT_EQ(plain.place(client_v4(1)), chosen);
}

TEST_P(BoundedLoadTest, spills_in_the_order_of_its_hash) {
  PolicyRig plain({.policy = GetParam()});
  plain.adopt(equal_backends(5));
  rig.adopt(plain.backends);
  const auto order = plain.offered(client_v4(1));
  std::vector<std::string> reached;
  for (int i = 0; i < 1000; ++i) {
    const std::string& name = rig.backends[rig.place(client_v4(1))]->name();
    if (std::find(reached.begin(), reached.end(), name) == reached.end()) reached.push_back(name);
  }
  // At 125 percent of a fifth each, four have room for all.
  EXPECT_EQ(reached, std::vector<std::string>(order.begin(), order.begin() + 4));
}

TEST_P(BoundedLoadTest, clients_stay_where_they_are_while_there_is_room) {
  PolicyRig plain({.policy = GetParam()});
  plain.adopt(equal_backends(10));
  rig.adopt(plain.backends);
  for (size_t i = 0; i < 10; ++i) rig.set_connections(i, 100);
  for (uint32_t i = 0; i < 500; ++i) {
    EXPECT_EQ(rig.choose_name(client_v4(i)), plain.choose_name(client_v4(i)));
  }
}

// With a third of the backends dead, the bound over all of them is below the average of the living.
TEST_P(BoundedLoadTest, dead_ones_do_not_take_the_others_their_clients) {
  PolicyRig plain({.policy = GetParam()});
  plain.adopt(equal_backends(6));
  rig.adopt(plain.backends);
  for (const size_t dead : {1U, 4U}) {
    rig.kill(dead);
    plain.kill(dead);
  }
  for (const size_t alive : {0U, 2U, 3U, 5U}) rig.set_connections(alive, 100);
  for (uint32_t i = 0; i < 500; ++i) {
    EXPECT_EQ(rig.choose_name(client_v4(i)), plain.choose_name(client_v4(i)));
  }
  // And it still binds.
  for (int i = 0; i < 1000; ++i) rig.place(client_v4(1));
  for (const size_t alive : {0U, 2U, 3U, 5U}) {
    EXPECT_LE(rig.backends[alive]->active_connections(), 1400 * 1.25 / 4 + 1);
  }
}

TEST_P(BoundedLoadTest, when_those_with_room_decline_the_others_are_offered_all_the_same) {
  rig.adopt(equal_backends(4));
  rig.set_connections(0, 90);
  rig.set_connections(1, 86);
  rig.set_connections(2, 84);
  const auto offered = rig.offered(client_v4(1));
  EXPECT_EQ(offered.size(), 4U);
  EXPECT_EQ(offered[0], "backend-3") << "the only one with room";
  rig.kill(3);
  // Without the fourth, 125 percent of 87 is the bound: everybody has room.
  PolicyRig plain({.policy = GetParam()});
  plain.adopt(rig.backends);
  plain.kill(3);
  for (uint32_t i = 0; i < 100; ++i) {
    EXPECT_EQ(rig.choose_name(client_v4(i)), plain.choose_name(client_v4(i)));
  }
}

TEST_P(BoundedLoadTest, connections_of_one_without_weight_are_not_counted) {
  rig.adopt(named_backends({0, 1, 1}));
  rig.set_connections(0, 1000);
  for (int i = 0; i < 100; ++i) rig.place(client_v4(1));
  EXPECT_LE(rig.backends[1]->active_connections(), 64U);
  EXPECT_LE(rig.backends[2]->active_connections(), 64U);
}

TEST_P(BoundedLoadTest, changed_weight_changes_the_bound) {
  rig.adopt(named_backends({1, 1}));
  for (int i = 0; i < 100; ++i) rig.place(client_v4(1));
  rig.backends[0]->set_weight(9);
  for (int i = 0; i < 900; ++i) rig.place(client_v4(1));
  EXPECT_LE(rig.backends[1]->active_connections(), 1000 * 1.25 / 10 + 1);
}

TEST_P(BoundedLoadTest, with_thousands_the_bound_holds_within_a_connection) {
  rig.adopt(equal_backends(3000));
  for (int i = 0; i < 6000; ++i) rig.place(client_v4(1));
  for (const auto& backend : rig.backends) EXPECT_LE(backend->active_connections(), 2.5 + 1);
}

INSTANTIATE_TEST_SUITE_P(policies, BoundedLoadTest,
                         ::testing::Values(BalancePolicy::source_hash, BalancePolicy::maglev),
                         [](const auto& policy) { return std::string(name(policy.param)); });

}  // namespace
}  // namespace sluice
