#include "sluice/core/picker.h"

#include <map>

#include "support.h"

namespace sluice {
namespace {

class PickerTest : public ClusterTest {
 protected:
  Lease pick(Picker& picker, const TriedBackends& tried = {}) {
    auto lease = picker.pick({.tried = tried, .now = now, .client = {}});
    return lease ? std::move(*lease) : Lease();
  }
  std::map<std::string, int> count_picks(Picker& picker, int picks) {
    std::map<std::string, int> counts;
    for (int i = 0; i < picks; ++i) {
      if (const Lease lease = pick(picker)) ++counts[lease.backend()->name()];
    }
    return counts;
  }
};

TEST_F(PickerTest, round_robin_spreads_evenly) {
  apply(backend_settings_of(3));
  Picker picker(snapshot, random);
  for (const auto& [name, count] : count_picks(picker, 300)) EXPECT_EQ(count, 100) << name;
}

TEST_F(PickerTest, dead_cluster_refuses_without_a_connect) {
  apply(backend_settings_of(3));
  for (size_t i = 0; i < 3; ++i) trip(backend(i));
  Picker picker(snapshot, random);
  EXPECT_FALSE(picker.pick({.tried = {}, .now = now, .client = {}}));
  const TriedBackends tried = {&backend(0)};
  EXPECT_FALSE(picker.pick({.tried = tried, .now = now, .client = {}}));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(backend(i).active_connections(), 0U);
}

TEST_F(PickerTest, attempt_does_not_repeat_a_tried_backend_while_an_untried_one_is_there) {
  apply(backend_settings_of(4));
  Picker picker(snapshot, random);
  for (int session = 0; session < 100; ++session) {
    TriedBackends tried;
    for (int attempt = 0; attempt < 4; ++attempt) {
      const Lease lease = pick(picker, tried);
      ASSERT_TRUE(lease);
      EXPECT_EQ(std::count(tried.begin(), tried.end(), lease.backend().get()), 0);
      tried.push_back(lease.backend().get());
    }
    EXPECT_TRUE(pick(picker, tried)) << "all were tried: again";
  }
}

TEST_F(PickerTest, tried_backend_is_tried_again_when_the_untried_ones_are_not_available) {
  apply(backend_settings_of(3));
  cluster->set_admin_state(backend(1), AdminState::maintenance, now);
  trip(backend(2));
  Picker picker(snapshot, random);
  const Lease lease = pick(picker, {&backend(0)});
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease.backend().get(), &backend(0));
}

TEST_F(PickerTest, client_whose_trial_fails_is_tried_on_another_backend) {
  apply(backend_settings_of(2));
  trip(backend(0));
  now += seconds(30);
  Picker picker(snapshot, random);
  Lease trial = pick(picker);
  while (!trial.is_trial()) trial = pick(picker);
  trial.settle(ConnectOutcome::refused, now, random);
  const Lease other = pick(picker, {trial.backend().get()});
  ASSERT_TRUE(other);
  EXPECT_EQ(other.backend().get(), &backend(1));
  EXPECT_FALSE(other.is_trial());
}

TEST_F(PickerTest, lower_priority_number_is_preferred) {
  apply({backend_settings(1, 1, 1), backend_settings(2, 1, 0), backend_settings(3, 1, 0)});
  Picker picker(snapshot, random);
  EXPECT_EQ(count_picks(picker, 100),
            (std::map<std::string, int>{{"10.0.0.2:80", 50}, {"10.0.0.3:80", 50}}));
}

TEST_F(PickerTest, next_priority_takes_over_when_none_of_the_first_is_available) {
  apply({backend_settings(1, 1, 0), backend_settings(2, 1, 1)});
  trip(backend(0));
  Picker picker(snapshot, random);
  EXPECT_EQ(count_picks(picker, 10), (std::map<std::string, int>{{"10.0.0.2:80", 10}}));
  now += seconds(30);
  EXPECT_TRUE(connect(backend(0), ConnectOutcome::connected));
  EXPECT_EQ(count_picks(picker, 10), (std::map<std::string, int>{{"10.0.0.1:80", 10}}));
}

TEST_F(PickerTest, second_attempt_prefers_an_untried_backend_of_the_next_priority) {
  apply({backend_settings(1, 1, 0), backend_settings(2, 1, 1)});
  Picker picker(snapshot, random);
  const Lease lease = pick(picker, {&backend(0)});
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease.backend().get(), &backend(1));
}

TEST_F(PickerTest, half_open_backend_gets_one_of_many_picks) {
  apply(backend_settings_of(2));
  trip(backend(0));
  now += seconds(30);
  Picker first(snapshot, Random(3));
  Picker second(snapshot, Random(4));
  int trials = 0;
  std::vector<Lease> held;
  for (int i = 0; i < 100; ++i) {
    held.push_back(pick(i % 2 == 0 ? first : second));
    ASSERT_TRUE(held.back());
    trials += held.back().is_trial();
  }
  EXPECT_EQ(trials, 1);
}

TEST_F(PickerTest, position_survives_a_reload) {
  apply(backend_settings_of(3));
  Picker picker(snapshot, random);
  const auto number = [&] { return pick(picker).backend()->address().bytes()[3]; };
  const int first = number();
  apply(backend_settings_of(3));
  picker.adopt(snapshot);
  const int second = number();
  EXPECT_EQ(second, first % 3 + 1);
  apply(backend_settings_of(3));
  picker.adopt(snapshot);
  EXPECT_EQ(number(), second % 3 + 1);
}

TEST_F(PickerTest, another_policy_takes_effect_with_the_snapshot) {
  apply(backend_settings_of(2));
  Picker picker(snapshot, random);
  settings.balance.policy = BalancePolicy::least_connections;
  apply(backend_settings_of(2));
  picker.adopt(snapshot);
  std::vector<Lease> held;
  for (int i = 0; i < 10; ++i) backend(0).add_connection();
  for (int i = 0; i < 10; ++i) held.push_back(pick(picker));
  EXPECT_EQ(backend(1).active_connections(), 10U);
}

TEST_F(PickerTest, priorities_may_come_and_go) {
  apply({backend_settings(1, 1, 0), backend_settings(2, 1, 5)});
  Picker picker(snapshot, random);
  apply({backend_settings(2, 1, 5), backend_settings(3, 1, 2)});
  picker.adopt(snapshot);
  EXPECT_EQ(pick(picker).backend()->name(), "10.0.0.3:80");
  EXPECT_EQ(pick(picker, {&backend(0)}).backend()->name(), "10.0.0.2:80");
}

TEST_F(PickerTest, least_connections_counts_those_of_all_workers) {
  settings.balance.policy = BalancePolicy::least_connections;
  apply(backend_settings_of(3));
  Picker first(snapshot, Random(3));
  Picker second(snapshot, Random(4));
  std::vector<Lease> held;
  for (int i = 0; i < 300; ++i) held.push_back(pick(i % 3 == 0 ? first : second));
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(backend(i).active_connections(), 100U);
}

}  // namespace
}  // namespace sluice
