#include "core/maglev_table.h"

#include <algorithm>
#include <chrono>

#include "policy_rig.h"

namespace sluice {
namespace {

std::vector<size_t> slots_of(const MaglevTable& table, size_t candidates) {
  std::vector<size_t> slots(candidates);
  for (size_t slot = 0; slot < MaglevTable::kSlots; ++slot) ++slots[table[slot]];
  return slots;
}

// The paper (Eisenbud and others, NSDI 2016), section 3.4: with more than a hundred slots for each
// backend, at most one percent between the shares. Taking turns keeps them within one slot.
TEST(MaglevTable, equal_ones_have_the_same_number_of_slots_but_for_one) {
  for (const size_t count : {1U, 2U, 3U, 10U, 655U, 10'000U}) {
    const MaglevTable table(equal_backends(count));
    const auto slots = slots_of(table, count);
    const auto [least, greatest] = std::minmax_element(slots.begin(), slots.end());
    EXPECT_LE(*greatest - *least, 1U) << count;
    EXPECT_EQ(table.owners(), count);
  }
}

TEST(MaglevTable, slots_are_in_proportion_to_the_weights) {
  for (const auto& weights : std::vector<std::vector<uint32_t>>{
           {1, 2}, {3, 1, 0, 7, 1000, 999}, {1000, 1}, {5, 5, 5, 1}}) {
    const MaglevTable table(named_backends(weights));
    const auto slots = slots_of(table, weights.size());
    size_t sum = 0;
    for (const uint32_t weight : weights) sum += weight;
    for (size_t i = 0; i < weights.size(); ++i) {
      const double share =
          static_cast<double>(weights[i]) * MaglevTable::kSlots / static_cast<double>(sum);
      EXPECT_NEAR(static_cast<double>(slots[i]), share, 1.5) << weights[i];
    }
  }
}

TEST(MaglevTable, is_empty_without_weights) {
  EXPECT_TRUE(MaglevTable(BackendList()).is_empty());
  EXPECT_TRUE(MaglevTable(named_backends({0, 0})).is_empty());
  EXPECT_EQ(MaglevTable(named_backends({0, 1})).owners(), 1U);
}

// A share of less than half a slot: it may be without one, and is offered last (policies_test.cc).
TEST(MaglevTable, share_of_less_than_a_slot_may_be_none) {
  std::vector<uint32_t> weights(1000, 1000);
  weights[0] = 1;
  const MaglevTable table(named_backends(weights));
  EXPECT_EQ(slots_of(table, 1000)[0], 0U);
  EXPECT_EQ(table.owners(), 999U);
}

struct Disruption {
  size_t own;     // slots of the one that went
  size_t others;  // slots that changed between two that stayed
};

Disruption without_one(size_t count, size_t gone) {
  auto backends = equal_backends(count);
  const MaglevTable before(backends);
  auto rest = backends;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(gone));
  const MaglevTable after(rest);
  Disruption result{0, 0};
  for (size_t slot = 0; slot < MaglevTable::kSlots; ++slot) {
    const Backend* was = backends[before[slot]].get();
    if (was == backends[gone].get()) {
      ++result.own;
    } else {
      result.others += was != rest[after[slot]].get();
    }
  }
  return result;
}

// The algorithm promises few moves beyond those that must be, not none. How few is measured here
// and printed; the bound is ours, above what was found (0.6 % at a thousand). Removal and
// addition are the same comparison, read either way.
TEST(MaglevTable, one_of_many_moves_its_own_slots_and_few_others) {
  for (const size_t count : {3U, 10U, 100U, 1000U}) {
    size_t others = 0;
    constexpr size_t kRemovals = 5;
    for (size_t i = 0; i < kRemovals; ++i) {
      const Disruption disruption = without_one(count, i * count / kRemovals);
      EXPECT_NEAR(static_cast<double>(disruption.own),
                  static_cast<double>(MaglevTable::kSlots) / static_cast<double>(count), 1);
      others += disruption.others;
    }
    const double percent =
        100.0 * static_cast<double>(others) / (kRemovals * double{MaglevTable::kSlots});
    std::printf("one of %zu: %.2f %% of the slots must move, %.2f %% others do\n", count,
                100.0 / static_cast<double>(count), percent);
    EXPECT_LT(percent, 1.0) << count;
  }
}

TEST(MaglevTable, is_of_the_candidates_and_weights_it_was_made_of) {
  auto backends = named_backends({1, 2, 3});
  const MaglevTable table(backends);
  EXPECT_TRUE(table.is_of(backends));
  EXPECT_FALSE(table.is_of(BackendList(backends).first(2)));
  auto turned = backends;
  std::swap(turned[0], turned[1]);
  EXPECT_FALSE(table.is_of(turned));
  EXPECT_FALSE(table.is_of(named_backends({1, 2, 3}))) << "others of the same names";
  backends[2]->set_weight(4);
  EXPECT_FALSE(table.is_of(backends));
}

// On the control loop, which must not be late. A bound far above what it takes (see
// bench/micro: milliseconds), for slow machines and sanitizers.
TEST(MaglevTable, ten_thousand_take_no_time_to_speak_of) {
  std::vector<uint32_t> weights(10'000, 1);
  for (const bool has_giant : {false, true}) {
    if (has_giant) weights[7] = 1000;
    const auto backends = named_backends(weights);
    const auto before = std::chrono::steady_clock::now();
    const MaglevTable table(backends);
    const auto taken = std::chrono::steady_clock::now() - before;
    std::printf("10,000 backends: %.1f ms\n",
                std::chrono::duration<double, std::milli>(taken).count());
    EXPECT_LT(taken, std::chrono::seconds(2));
  }
}

// --- in a cluster --------------------------------------------------------------------------------

class MaglevCluster : public ClusterTest {
 protected:
  MaglevCluster() { settings.balance.policy = BalancePolicy::maglev; }
};

TEST_F(MaglevCluster, table_is_made_by_apply_and_shared_by_the_workers) {
  apply(backend_settings_of(5));
  EXPECT_TRUE(snapshot->levels[0].maglev_table->is_of(snapshot->levels[0].backends));
  EXPECT_EQ(cluster->snapshot()->levels[0].maglev_table, snapshot->levels[0].maglev_table);
}

TEST_F(MaglevCluster, table_is_kept_while_it_holds) {
  apply({backend_settings(1, 1, 0), backend_settings(2, 1, 0), backend_settings(3, 1, 1)});
  const auto first = snapshot->levels[0].maglev_table;
  const auto second = snapshot->levels[1].maglev_table;
  apply({backend_settings(1, 1, 0), backend_settings(2, 1, 0), backend_settings(3, 4, 1)});
  EXPECT_EQ(snapshot->levels[0].maglev_table, first);
  EXPECT_NE(snapshot->levels[1].maglev_table, second) << "another weight";
  EXPECT_EQ((*snapshot->levels[1].maglev_table)[0], 0U);
}

TEST_F(MaglevCluster, other_policies_have_none) {
  settings.balance.policy = BalancePolicy::source_hash;
  apply(backend_settings_of(5));
  EXPECT_EQ(snapshot->levels[0].maglev_table, nullptr);
}

TEST_F(MaglevCluster, table_comes_with_a_change_of_policy) {
  settings.balance.policy = BalancePolicy::round_robin;
  apply(backend_settings_of(5));
  Picker picker(snapshot, random);
  settings.balance.policy = BalancePolicy::maglev;
  apply(backend_settings_of(5));
  picker.adopt(snapshot);
  const PickRequest request{.tried = {}, .now = now, .client = client_v4(1)};
  const auto first = picker.pick(request)->backend();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(picker.pick(request)->backend(), first);
}

}  // namespace
}  // namespace sluice
