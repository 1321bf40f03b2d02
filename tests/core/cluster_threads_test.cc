// The parts that all workers share, hammered from many threads: run it under ThreadSanitizer too
// (-Db_sanitize=thread), which sees what a count cannot. Threads meet at barriers, nobody sleeps;
// the clock is an atomic that they all push on.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared_clock.h"
#include "support.h"

namespace sluice {
namespace {

// A cluster with workers on every thread but one, which is the control loop.
class ClusterThreads : public ::testing::Test {
 protected:
  static constexpr size_t kBackends = 4;

  void apply(Duration recovery_timeout, BalancePolicy policy) {
    ClusterSettings settings;
    settings.balance.policy = policy;
    settings.circuit_breaker.recovery_timeout = recovery_timeout;
    settings.circuit_breaker.max_recovery_timeout = recovery_timeout * 4;
    const std::lock_guard lock(snapshot_mutex);
    snapshot =
        cluster->apply(settings, backend_settings_of(kBackends), Arrival::cold_start, clock.now());
  }
  std::shared_ptr<const ClusterSnapshot> current() {
    const std::lock_guard lock(snapshot_mutex);
    return snapshot;
  }

  void hear(const Transition& transition) {
    const std::lock_guard lock(heard_mutex);
    const auto key = std::pair(transition.kind, transition.backend);
    const auto last = heard.find(key);
    const std::string_view expected = last != heard.end()                            ? last->second
                                      : transition.kind == Transition::Kind::breaker ? "closed"
                                                                                     : "unknown";
    EXPECT_EQ(transition.from, expected) << transition.backend << " " << transition.why;
    heard[key] = transition.to;
    ++transitions;
  }

  // A client's connections, each to its end.
  void work(size_t thread, int sessions) {
    Random random(thread);
    Picker picker(current(), Random(thread + 100));
    std::vector<Lease> held;
    for (int i = 0; i < sessions; ++i) {
      if (i % 1000 == 0) picker.adopt(current());
      const TimePoint now = clock.advance(std::chrono::microseconds(random.below(20)));
      auto lease = picker.pick({.tried = {}, .now = now, .client = {}});
      if (!lease) continue;
      const uint64_t dice = random.below(10);
      if (dice < 5) lease->settle(ConnectOutcome::connected, now, random);
      if (dice >= 5 && dice < 9) lease->settle(ConnectOutcome::refused, now, random);
      held.push_back(std::move(*lease));
      if (held.size() > 8) held.erase(held.begin() + static_cast<long>(random.below(8)));
    }
  }

  // Probes and reloads.
  void control(int steps) {
    Random random(77);
    for (int i = 0; i < steps; ++i) {
      const TimePoint now = clock.now();
      if (i % 500 == 0) apply(milliseconds(1), BalancePolicy::round_robin);
      cluster->announce_half_open(now);
      Backend& backend = *current()->levels[0].backends[random.below(kBackends)];
      const auto permit = cluster->admit_probe(backend, now);
      const bool passed = random.below(2) == 0;
      cluster->record_probe(backend,
                            {.began_at = now,
                             .passed = passed,
                             .result = passed ? "passed" : "refused",
                             .permit = permit,
                             .is_inconclusive = random.below(10) == 0},
                            clock.now());
    }
  }

  SharedClock clock;
  std::mutex heard_mutex;
  std::map<std::pair<Transition::Kind, std::string>, std::string_view> heard;
  uint64_t transitions = 0;
  std::shared_ptr<Cluster> cluster = std::make_shared<Cluster>(
      "web", [this](const Transition& transition) { hear(transition); }, Random(2));
  std::mutex snapshot_mutex;
  std::shared_ptr<const ClusterSnapshot> snapshot;
};

TEST_F(ClusterThreads, everything_comes_back_and_every_transition_is_told_once_in_order) {
  apply(milliseconds(1), BalancePolicy::round_robin);
  run_threads([&](size_t thread) {
    if (thread == 0) {
      control(10'000);
    } else {
      work(thread, 20'000);
    }
  });
  EXPECT_GT(transitions, 100U);
  const TimePoint later = clock.advance(seconds(10));
  Random random(1);
  const PriorityLevel& level = snapshot->levels[0];
  for (const auto& backend : level.backends) {
    EXPECT_EQ(backend->active_connections(), 0U);
    while (backend->health() != Health::healthy) {
      cluster->record_probe(
          *backend, {.began_at = later, .passed = true, .result = "passed", .permit = std::nullopt},
          later);
    }
    const auto permit = cluster->admit(*snapshot, level, *backend, later);
    ASSERT_TRUE(permit) << "a trial was lost";
    cluster->record_connect(*snapshot, *backend, *permit, ConnectOutcome::connected, later, random);
    EXPECT_EQ(backend->breaker().state(later), BreakerState::closed);
  }
}

// All ask at once, so that some are refused after they have reserved a place.
TEST_F(ClusterThreads, refusal_gives_the_reserved_place_back) {
  constexpr int kRounds = 5000;
  apply(milliseconds(1), BalancePolicy::round_robin);
  const PriorityLevel& level = snapshot->levels[0];
  Backend& backend = *level.backends[0];
  std::atomic<uint32_t> admitted{0};
  std::barrier round(kThreads);
  run_threads([&](size_t thread) {
    Random random(thread);
    for (int i = 0; i < kRounds; ++i) {
      if (thread == 0) {
        backend.breaker().trip(backend.breaker().generation(), clock.now(),
                               snapshot->settings.circuit_breaker, random,
                               [](const BreakerChange&) {});
        backend.breaker().begin_early_trial(backend.breaker().generation(),
                                            [](const BreakerChange&) {});
      }
      round.arrive_and_wait();
      const auto permit = cluster->admit(*snapshot, level, backend, clock.now());
      if (permit) admitted.fetch_add(1);
      round.arrive_and_wait();
      if (thread == 0) {
        EXPECT_EQ(admitted.exchange(0), 1U);
        EXPECT_EQ(backend.active_connections(), 1U) << "round " << i;
        while (backend.active_connections() > 0) backend.remove_connection();
        backend.breaker().reset([](const BreakerChange&) {});
      }
      round.arrive_and_wait();
    }
  });
}

TEST_F(ClusterThreads, least_connections_is_even_over_all_workers) {
  constexpr size_t kSessions = 2000;
  apply(seconds(30), BalancePolicy::least_connections);
  std::vector<std::vector<Lease>> held(kThreads);
  run_threads([&](size_t thread) {
    Picker picker(current(), Random(thread));
    for (size_t i = 0; i < kSessions; ++i) {
      held[thread].push_back(
          std::move(*picker.pick({.tried = {}, .now = clock.now(), .client = {}})));
    }
  });
  constexpr uint32_t kShare = kThreads * kSessions / kBackends;
  uint32_t total = 0;
  for (const auto& backend : snapshot->levels[0].backends) {
    total += backend->active_connections();
    // Picks at the same instant may tie: one for each other thread.
    EXPECT_NEAR(backend->active_connections(), kShare, kThreads);
  }
  EXPECT_EQ(total, kThreads * kSessions);
  run_threads([&](size_t thread) { held[thread].clear(); });
  for (const auto& backend : snapshot->levels[0].backends) {
    EXPECT_EQ(backend->active_connections(), 0U);
  }
}

}  // namespace
}  // namespace sluice
