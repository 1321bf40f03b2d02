// The parts that all workers share, hammered from many threads: run it under ThreadSanitizer too
// (-Db_sanitize=thread), which sees what a count cannot. Threads meet at barriers, nobody sleeps;
// the clock is an atomic that they all push on.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <mutex>
#include <thread>
#include <vector>

#include "support.h"

namespace sluice {
namespace {

class SharedClock {
 public:
  TimePoint now() const { return TimePoint(Duration(nanoseconds_.load())); }
  TimePoint advance(Duration span) {
    return TimePoint(Duration(nanoseconds_.fetch_add(span.count()) + span.count()));
  }

 private:
  std::atomic<int64_t> nanoseconds_{kStart.time_since_epoch().count()};
};

// Listens to one breaker. Its members are not atomic on purpose: the breaker promises that changes
// are told one after another, and ThreadSanitizer holds it to that.
class Chain {
 public:
  void operator()(const BreakerChange& change) {
    EXPECT_EQ(change.from, last_);
    EXPECT_NE(change.to, last_);
    last_ = change.to;
    ++changes_;
  }
  BreakerState last() const { return last_; }
  size_t changes() const { return changes_; }

 private:
  BreakerState last_ = BreakerState::closed;
  size_t changes_ = 0;
};

TEST(Threads, each_generation_is_tripped_exactly_once) {
  constexpr int kRounds = 2000;
  const CircuitBreakerSettings settings;
  CircuitBreaker breaker;
  std::atomic<int> trips{0};
  std::barrier round(kThreads);
  run_threads([&](size_t thread) {
    Random random(thread);
    for (int i = 0; i < kRounds; ++i) {
      const uint32_t generation = breaker.generation();
      round.arrive_and_wait();
      breaker.trip(generation, kStart, settings, random,
                   [&](const BreakerChange&) { trips.fetch_add(1); });
      round.arrive_and_wait();
      if (thread == 0) {
        EXPECT_EQ(trips.exchange(0), 1);
        breaker.reset([](const BreakerChange&) {});
      }
      round.arrive_and_wait();
    }
  });
}

TEST(Threads, half_open_gives_exactly_one_trial_however_many_ask) {
  constexpr int kRounds = 2000;
  const CircuitBreakerSettings settings;
  CircuitBreaker breaker;
  Chain chain;
  std::atomic<int> trials{0};
  std::barrier round(kThreads);
  run_threads([&](size_t thread) {
    Random random(thread);
    for (int i = 0; i < kRounds; ++i) {
      if (thread == 0) breaker.trip(breaker.generation(), kStart, settings, random, chain);
      round.arrive_and_wait();
      const TimePoint later = kStart + std::chrono::hours(1);
      const auto permit =
          thread % 2 == 0 ? breaker.admit(later, chain) : breaker.admit_trial(later, chain);
      if (thread == 3) breaker.announce_half_open(later, chain);
      if (permit) trials.fetch_add(1);
      round.arrive_and_wait();
      // While another thread was telling of half_open everybody may have been refused: then the
      // trial is still there.
      if (thread == 0) {
        const int given = trials.exchange(0);
        EXPECT_LE(given, 1);
        EXPECT_EQ(given == 0, breaker.admit(later, chain).has_value());
        breaker.reset(chain);
      }
      round.arrive_and_wait();
    }
  });
}

// The whole life of a breaker: trips, early trials, announcements, all verdicts, in any order.
TEST(Threads, never_two_trials_at_once_and_none_lost_for_ever) {
  constexpr uint64_t kTrials = 20'000;
  constexpr int kStepsMax = 50'000'000;  // of a thread; many are refused while a holder is off CPU
  CircuitBreakerSettings settings;
  settings.recovery_timeout = milliseconds(5);
  settings.max_recovery_timeout = milliseconds(20);
  settings.success_threshold = 2;
  CircuitBreaker breaker;
  Chain chain;
  SharedClock clock;
  std::atomic<int> trials_out{0};
  std::atomic<uint64_t> trials{0};
  run_threads([&](size_t thread) {
    Random random(thread);
    for (int i = 0; i < kStepsMax && trials.load() < kTrials; ++i) {
      const TimePoint now = clock.advance(std::chrono::microseconds(random.below(200)));
      if (random.below(50) == 0) breaker.announce_half_open(now, chain);
      if (const auto opening = breaker.opening(); opening && random.below(50) == 0) {
        EXPECT_LE(opening->opened_at, opening->reopens_at);
        breaker.begin_early_trial(opening->generation, chain);
      }
      const auto permit = breaker.admit(now, chain);
      if (!permit) {
        std::this_thread::yield();
        continue;
      }
      if (!permit->is_trial) {
        if (random.below(20) == 0) breaker.trip(permit->generation, now, settings, random, chain);
        continue;
      }
      trials.fetch_add(1);
      EXPECT_EQ(trials_out.fetch_add(1), 0);
      if (random.below(4) == 0) std::this_thread::yield();
      trials_out.fetch_sub(1);
      switch (random.below(3)) {
        case 0:
          breaker.failed(*permit, now, settings, random, chain);
          break;
        case 1:
          breaker.abandoned(*permit);
          break;
        default:
          breaker.succeeded(*permit, settings, chain);
      }
    }
  });
  EXPECT_GE(trials.load(), kTrials);
  EXPECT_GT(chain.changes(), kTrials / 2);
  const TimePoint later = clock.advance(seconds(1));
  EXPECT_EQ(breaker.state(later) == BreakerState::closed, chain.last() == BreakerState::closed);
  for (uint32_t i = 0; i < 2 && breaker.state(later) != BreakerState::closed; ++i) {
    const auto permit = breaker.admit(later, chain);
    ASSERT_TRUE(permit) << "a trial was lost";
    breaker.succeeded(*permit, settings, chain);
  }
  EXPECT_EQ(chain.last(), BreakerState::closed);
}

TEST(Threads, every_failure_is_counted_and_one_is_the_threshold_th) {
  constexpr uint32_t kFailures = 10'000;
  constexpr uint32_t kThreshold = 40'000;
  OutlierDetector detector;
  std::atomic<int> exact{0};
  run_threads([&](size_t) {
    for (uint32_t i = 0; i < kFailures; ++i) {
      const auto ejection = detector.record(Permit{}, ConnectOutcome::refused, kThreshold);
      if (ejection && ejection->consecutive_failures == kThreshold) exact.fetch_add(1);
    }
  });
  EXPECT_EQ(exact.load(), 1);
  EXPECT_EQ(detector.consecutive_failures(), kFailures * kThreads);
}

TEST(Threads, success_anywhere_ends_the_row_for_all) {
  OutlierDetector detector;
  std::atomic<int> proposals{0};
  run_threads([&](size_t) {
    for (int i = 0; i < 20'000; ++i) {
      // Each thread adds one at most before its own success: more than kThreads never add up.
      const auto ejection = detector.record(Permit{}, ConnectOutcome::timeout, kThreads + 1);
      if (ejection) proposals.fetch_add(1);
      detector.record(Permit{}, ConnectOutcome::connected, kThreads + 1);
    }
  });
  EXPECT_EQ(proposals.load(), 0);
  EXPECT_EQ(detector.consecutive_failures(), 0U);
}

// A cluster with workers on every thread but one, which is the control loop.
class ThreadsCluster : public ::testing::Test {
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

TEST_F(ThreadsCluster, everything_comes_back_and_every_transition_is_told_once_in_order) {
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
TEST_F(ThreadsCluster, refusal_gives_the_reserved_place_back) {
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

TEST_F(ThreadsCluster, least_connections_is_even_over_all_workers) {
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
