// A backend that is back takes a tenth of its share first, growing to all of it.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "support.h"

namespace sluice {
namespace {

constexpr Duration kSlowStart = seconds(100);

class SlowStartTest : public ClusterTest {
 protected:
  SlowStartTest() { settings.slow_start = kSlowStart; }

  double share(size_t index) { return backend(index).share(now, kSlowStart); }

  // The end of its slow start, found to the millisecond; as if `now` were the beginning.
  Duration length(size_t index) {
    Duration low{}, high = 2 * kSlowStart;
    while (high - low > milliseconds(1)) {
      const Duration middle = (low + high) / 2;
      (backend(index).share(now + middle, kSlowStart) < 1 ? low : high) = middle;
    }
    return high;
  }

  void make_unhealthy(Backend& wanted) {
    while (wanted.health() != Health::unhealthy) probe_aside(wanted, false);
  }
  void make_healthy(Backend& wanted) {
    while (wanted.health() != Health::healthy) probe_aside(wanted, true);
  }
  void recover(size_t index) {
    make_unhealthy(backend(index));
    make_healthy(backend(index));
  }

  std::map<const Backend*, int> count_picks(int picks, uint64_t seed) {
    Picker picker(snapshot, Random(seed));
    std::map<const Backend*, int> counts;
    for (int i = 0; i < picks; ++i) {
      const auto lease = picker.pick({.tried = {}, .now = now, .client = {}});
      EXPECT_TRUE(lease);
      if (lease) ++counts[lease->backend().get()];
    }
    return counts;
  }
};

TEST_F(SlowStartTest, there_is_none_at_a_cold_start) {
  apply(backend_settings_of(2));
  EXPECT_EQ(share(0), 1);
  probe(backend(0), true);
  EXPECT_EQ(backend(0).health(), Health::healthy);
  EXPECT_EQ(share(0), 1) << "the first probe is no recovery";
  EXPECT_EQ(share(1), 1);
}

TEST_F(SlowStartTest, share_begins_at_a_tenth_grows_in_a_straight_line_and_ends) {
  apply(backend_settings_of(2));
  recover(0);
  const Duration whole = length(0);
  EXPECT_EQ(share(0), 0.1);
  EXPECT_EQ(share(1), 1) << "it is the recovered one's alone";
  const TimePoint began = now;
  double last = 0;
  for (int percent = 0; percent <= 100; percent += 5) {
    now = began + whole * percent / 100;
    const Duration left = began + whole - now;
    const double line = 1 - static_cast<double>(left.count()) / kSlowStart.count();
    EXPECT_NEAR(share(0), std::clamp(line, 0.1, 1.0), 0.001) << percent << " %";
    EXPECT_GE(share(0), last);
    last = share(0);
  }
  EXPECT_EQ(share(0), 1);
  now += std::chrono::hours(1);
  EXPECT_EQ(share(0), 1);
}

TEST_F(SlowStartTest, closing_of_its_breaker_begins_one) {
  apply(backend_settings_of(2));
  trip(backend(0));
  now += seconds(30);
  EXPECT_EQ(share(0), 1) << "the trial itself is not held back";
  ASSERT_TRUE(connect(backend(0), ConnectOutcome::connected));
  ASSERT_EQ(breaker_state(backend(0)), BreakerState::closed);
  EXPECT_EQ(share(0), 0.1);
}

TEST_F(SlowStartTest, backend_added_later_begins_when_its_first_probe_passes) {
  apply(backend_settings_of(2));
  make_healthy(backend(0));
  make_healthy(backend(1));
  apply(backend_settings_of(3), Arrival::later);
  now += seconds(50);
  make_healthy(backend(2));
  EXPECT_EQ(share(2), 0.1) << "it has got nobody while it was unknown";
  EXPECT_EQ(share(0), 1);
}

TEST_F(SlowStartTest, backend_added_later_begins_at_once_without_probes) {
  settings.has_probes = false;
  apply(backend_settings_of(2));
  EXPECT_EQ(share(0), 1) << "a cold start";
  apply(backend_settings_of(3), Arrival::later);
  EXPECT_EQ(share(2), 0.1);
  EXPECT_EQ(share(0), 1) << "it was there";
  const Duration left = length(2);
  now += seconds(10);
  apply(backend_settings_of(3), Arrival::later);
  EXPECT_EQ(length(2) / milliseconds(10), (left - seconds(10)) / milliseconds(10))
      << "a reload begins it anew for nobody";
}

TEST_F(SlowStartTest, switched_off_it_holds_nobody_back) {
  settings.slow_start = std::nullopt;
  apply(backend_settings_of(2));
  recover(0);
  EXPECT_EQ(share(0), 1);
  for (const auto& [chosen, count] : count_picks(100, 1)) EXPECT_EQ(count, 50);
  settings.slow_start = kSlowStart;
  apply(backend_settings_of(2));
  EXPECT_EQ(share(0), 1) << "what was before is not made up for";
}

TEST_F(SlowStartTest, switching_it_off_ends_one_that_is_under_way) {
  apply(backend_settings_of(2));
  recover(0);
  settings.slow_start = std::nullopt;
  apply(backend_settings_of(2));
  for (const auto& [chosen, count] : count_picks(100, 1)) EXPECT_EQ(count, 50);
}

TEST_F(SlowStartTest, shorter_setting_shortens_one_that_is_under_way) {
  apply(backend_settings_of(2));
  recover(0);
  settings.slow_start = seconds(1);
  apply(backend_settings_of(2));
  now += seconds(2);
  EXPECT_EQ(backend(0).share(now, seconds(1)), 1);
}

TEST_F(SlowStartTest, picks_follow_the_share) {
  constexpr int kPicks = 20'000;
  apply(backend_settings_of(2));
  recover(0);
  const TimePoint began = now;
  const Duration whole = length(0);
  for (const int percent : {0, 25, 50, 75, 100}) {
    now = began + whole * percent / 100;
    const double wanted = share(0);
    const auto counts = count_picks(kPicks, 42 + static_cast<uint64_t>(percent));
    const double got = static_cast<double>(counts.at(&backend(0))) / counts.at(&backend(1));
    EXPECT_NEAR(got, wanted, 0.03) << percent << " %, share " << wanted;
  }
}

// Idle, it is the first choice of every pick there: declining nine of ten would still leave it with
// a tenth of all the connections, where a tenth of its share is one of 500.
TEST_F(SlowStartTest, policies_that_go_by_load_take_it_for_a_smaller_one) {
  for (const auto policy : {BalancePolicy::least_connections, BalancePolicy::random}) {
    settings.balance.policy = policy;
    apply(backend_settings_of(50));
    Picker picker(snapshot, Random(5));
    const auto place = [&](int connections) {
      std::vector<Lease> leases;
      for (int i = 0; i < connections; ++i) {
        auto lease = picker.pick({.tried = {}, .now = now, .client = {}});
        EXPECT_TRUE(lease);
        if (lease) leases.push_back(std::move(*lease));
      }
      return backend(0).active_connections();
    };
    recover(0);
    EXPECT_LE(place(5000), policy == BalancePolicy::random ? 20U : 12U) << "a tenth of 100";
    now += 2 * kSlowStart;
    EXPECT_GE(place(5000), 85U) << "all of its share";
  }
}

TEST_F(SlowStartTest, nobody_is_refused_while_all_are_in_their_slow_start) {
  apply(backend_settings_of(2));
  recover(0);
  recover(1);
  ASSERT_EQ(share(0), 0.1);
  ASSERT_EQ(share(1), 0.1);
  const auto counts = count_picks(1000, 7);
  EXPECT_EQ(counts.at(&backend(0)) + counts.at(&backend(1)), 1000);
  EXPECT_NEAR(counts.at(&backend(0)), 500, 100);
}

TEST_F(SlowStartTest, recovered_one_serves_alone_where_the_others_may_not) {
  settings.limits.of_backend = 1;
  apply(backend_settings_of(2));
  recover(0);
  ASSERT_TRUE(admit(backend(1)));
  Picker picker(snapshot, Random(3));
  for (int i = 0; i < 50; ++i) {
    const auto lease = picker.pick({.tried = {}, .now = now, .client = {}});
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->backend().get(), &backend(0));
  }
}

TEST_F(SlowStartTest, decision_counts_who_was_passed_over_for_it) {
  apply(backend_settings_of(2));
  recover(0);
  Picker picker(snapshot, Random(3));
  int passed_over = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto lease = picker.pick({.tried = {}, .now = now, .client = {}});
    ASSERT_TRUE(lease);
    passed_over += picker.last_decision().passed_over(Obstacle::slow_start);
  }
  EXPECT_NEAR(passed_over, 818, 60) << "of eleven picks one is its own, nine times it is not";
}

// A fleet of processes must not come back in step.
TEST(SlowStartJitter, length_differs_from_cluster_to_cluster_within_a_tenth) {
  std::map<Duration, int> lengths;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const auto cluster = std::make_shared<Cluster>(
        "web", [](const Transition&) {}, Random(seed));
    ClusterSettings settings = steady_settings();
    settings.slow_start = kSlowStart;
    settings.has_probes = false;
    cluster->apply(settings, backend_settings_of(1), Arrival::cold_start, kStart);
    const auto snapshot = cluster->apply(settings, backend_settings_of(2), Arrival::later, kStart);
    const Backend& added = *snapshot->levels[0].backends[1];
    Duration length{};
    while (added.share(kStart + length, kSlowStart) < 1) length += milliseconds(100);
    EXPECT_GE(length, kSlowStart * 9 / 10) << "seed " << seed;
    EXPECT_LE(length, kSlowStart * 11 / 10 + milliseconds(100)) << "seed " << seed;
    ++lengths[length];
  }
  EXPECT_GT(lengths.size(), 25U);
}

}  // namespace
}  // namespace sluice
