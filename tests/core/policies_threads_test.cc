// The policies with as many workers as a large machine has: each with a Picker of its own, meeting
// in the backends' counters. Run it under ThreadSanitizer too.
#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>

#include "policy_rig.h"

namespace sluice {
namespace {

constexpr size_t kWorkers = 64;

void run_workers(const std::function<void(size_t)>& work) { run_threads(work, kWorkers); }

class PoliciesThreads : public ::testing::TestWithParam<BalanceSettings> {
 protected:
  void apply(size_t backends) {
    ClusterSettings settings;
    settings.balance = GetParam();
    std::vector<BackendSettings> list;
    for (size_t i = 0; i < backends; ++i) {
      list.push_back(named_backend(i, 1 + static_cast<uint32_t>((i + applied_) % 3)));
    }
    ++applied_;
    const std::lock_guard lock(mutex_);
    snapshot_ = cluster_->apply(settings, list, Arrival::cold_start, kStart);
  }
  std::shared_ptr<const ClusterSnapshot> snapshot() {
    const std::lock_guard lock(mutex_);
    return snapshot_;
  }
  static uint32_t connections(const ClusterSnapshot& snapshot) {
    uint32_t sum = 0;
    for (const auto& backend : snapshot.levels[0].backends) sum += backend->active_connections();
    return sum;
  }

 private:
  uint32_t applied_ = 0;
  std::shared_ptr<Cluster> cluster_ = std::make_shared<Cluster>(
      "web", [](const Transition&) {}, Random(2));
  std::mutex mutex_;
  std::shared_ptr<const ClusterSnapshot> snapshot_;
};

TEST_P(PoliciesThreads, places_are_exact_while_weights_change) {
  apply(600);
  std::atomic<uint32_t> held_at_the_end{0};
  std::vector<std::vector<Lease>> held(kWorkers);
  run_workers([&](size_t worker) {
    Random random(worker);
    Picker picker(snapshot(), Random(worker + 100));
    for (uint32_t i = 0; i < 300; ++i) {
      if (worker == 0 && i % 30 == 0) apply(600);
      if (i % 50 == 0) picker.adopt(snapshot());
      const auto client = client_v4(static_cast<uint32_t>(worker * 1000) + i);
      auto lease = picker.pick({.tried = {}, .now = kStart, .client = client});
      ASSERT_TRUE(lease);
      lease->settle(ConnectOutcome::connected, kStart, random);
      held[worker].push_back(std::move(*lease));
      if (held[worker].size() > 20) held[worker].erase(held[worker].begin());
    }
    held_at_the_end.fetch_add(static_cast<uint32_t>(held[worker].size()));
  });
  EXPECT_EQ(connections(*snapshot()), held_at_the_end.load());
  held.clear();
  EXPECT_EQ(connections(*snapshot()), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    policies, PoliciesThreads,
    ::testing::Values(BalanceSettings{.policy = BalancePolicy::round_robin},
                      BalanceSettings{.policy = BalancePolicy::least_connections},
                      BalanceSettings{.policy = BalancePolicy::random},
                      BalanceSettings{.policy = BalancePolicy::source_hash, .max_load = 125},
                      BalanceSettings{.policy = BalancePolicy::maglev, .max_load = 125},
                      BalanceSettings{.policy = BalancePolicy::first}),
    [](const auto& settings) { return std::string(name(settings.param.policy)); });

class SampledThreads : public PoliciesThreads {};

// More than it looks at one by one: by fives that are drawn.
TEST_P(SampledThreads, many_workers_fill_thousands_evenly) {
  constexpr size_t kSessions = 500;
  apply(2000);
  std::vector<std::vector<Lease>> held(kWorkers);
  run_workers([&](size_t worker) {
    Picker picker(snapshot(), Random(worker));
    for (size_t i = 0; i < kSessions; ++i) {
      held[worker].push_back(std::move(*picker.pick({.tried = {}, .now = kStart, .client = {}})));
    }
  });
  EXPECT_EQ(connections(*snapshot()), kWorkers * kSessions);
  for (const auto& backend : snapshot()->levels[0].backends) {
    // 32,000 over weights of 1, 2 and 3: eight for each one of weight 1.
    EXPECT_NEAR(backend->active_connections(), 8 * backend->weight(), 2.5 * backend->weight());
  }
}

INSTANTIATE_TEST_SUITE_P(
    policies, SampledThreads,
    ::testing::Values(BalanceSettings{.policy = BalancePolicy::least_connections}),
    [](const auto& settings) { return std::string(name(settings.param.policy)); });

class BoundedThreads : public PoliciesThreads {};

// All at once may see the same last place: each other worker may be one too many, none more.
TEST_P(BoundedThreads, hot_client_of_all_workers_stays_within_the_bound) {
  constexpr size_t kSessions = 100;
  apply(6);
  std::vector<std::vector<Lease>> held(kWorkers);
  run_workers([&](size_t worker) {
    Picker picker(snapshot(), Random(worker));
    for (size_t i = 0; i < kSessions; ++i) {
      held[worker].push_back(
          std::move(*picker.pick({.tried = {}, .now = kStart, .client = client_v4(1)})));
    }
  });
  EXPECT_EQ(connections(*snapshot()), kWorkers * kSessions);
  for (const auto& backend : snapshot()->levels[0].backends) {
    const double share = 1.25 * kWorkers * kSessions * backend->weight() / 12;
    EXPECT_LE(backend->active_connections(), share + kWorkers) << backend->name();
  }
}

INSTANTIATE_TEST_SUITE_P(
    policies, BoundedThreads,
    ::testing::Values(BalanceSettings{.policy = BalancePolicy::source_hash, .max_load = 125},
                      BalanceSettings{.policy = BalancePolicy::maglev, .max_load = 125}),
    [](const auto& settings) { return std::string(name(settings.param.policy)); });

}  // namespace
}  // namespace sluice
