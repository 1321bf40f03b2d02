// One breaker under many threads; see cluster_threads_test.cc.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>

#include "shared_clock.h"
#include "support.h"

namespace sluice {
namespace {

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

TEST(CircuitBreakerThreads, each_generation_is_tripped_exactly_once) {
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

TEST(CircuitBreakerThreads, half_open_gives_exactly_one_trial_however_many_ask) {
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
TEST(CircuitBreakerThreads, never_two_trials_at_once_and_none_lost_for_ever) {
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

}  // namespace
}  // namespace sluice
