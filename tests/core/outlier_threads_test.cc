// Outlier detection from many threads at once; see cluster_threads_test.cc.
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <mutex>
#include <vector>

#include "support.h"

namespace sluice {
namespace {

TEST(OutlierThreads, every_failure_is_counted_and_one_is_the_threshold_th) {
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

TEST(OutlierThreads, success_anywhere_ends_the_row_for_all) {
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

TEST(OutlierThreads, window_counts_every_outcome) {
  constexpr uint32_t kOutcomes = 40'000;
  OutcomeWindow window;
  window.set_length(seconds(30));
  run_threads([&](size_t thread) {
    for (uint32_t i = 0; i < kOutcomes; ++i) {
      const bool is_failure = (i + thread) % 4 == 0;
      // All buckets of one lap, in different orders.
      const TimePoint at = kStart + seconds((i * (thread + 1)) % 28);
      window.add(is_failure ? OutcomeWindow::Outcome::failure : OutcomeWindow::Outcome::success,
                 at);
    }
  });
  const OutcomeCounts sum = window.sum_up(kStart + seconds(28));
  EXPECT_EQ(sum.failures, kOutcomes * kThreads / 4);
  EXPECT_EQ(sum.successes, kOutcomes * kThreads / 4 * 3);
}

// The sweep takes away nothing that still counts.
TEST(OutlierThreads, reader_that_sweeps_loses_no_outcome_of_the_present) {
  constexpr int kRounds = 2000;
  OutcomeWindow window;
  window.set_length(seconds(16));
  std::barrier round(kThreads);
  run_threads([&](size_t thread) {
    for (int i = 0; i < kRounds; ++i) {
      const TimePoint now = kStart + i * seconds(16);  // each a lap later, in the same place
      round.arrive_and_wait();
      if (thread == 0) {
        window.sum_up(now);
      } else {
        window.add(OutcomeWindow::Outcome::success, now);
      }
      round.arrive_and_wait();
      if (thread == 0) {
        EXPECT_EQ(window.sum_up(now).successes, kThreads - 1);
      }
    }
  });
}

TEST(OutlierThreads, penalty_counts_every_opening) {
  FlapPenalty penalty;
  run_threads([&](size_t) {
    for (int i = 0; i < 5; ++i) {
      penalty.opened();
      penalty.good_sign(kStart, seconds(1));
    }
  });
  EXPECT_EQ(penalty.doublings(), 5 * kThreads);
}

// Everybody's backends close early, on all threads at once: never are more than two of ten out, nor
// the last one that is available, and the books are right in the end.
TEST(OutlierThreads, cap_is_never_exceeded_not_by_one) {
  constexpr size_t kBackends = 10;
  constexpr uint32_t kAllowed = 2;
  constexpr int kSessions = 20'000;
  ClusterSettings settings = steady_settings();
  settings.has_probes = false;
  OutlierSettings& outliers = settings.outlier_detection;
  outliers.is_enabled = true;
  outliers.early_close = {.is_enabled = true, .threshold = 2};
  outliers.max_ejected = 20;
  outliers.base_ejection = milliseconds(1);
  outliers.max_ejection = milliseconds(4);
  std::atomic<int64_t> clock{kStart.time_since_epoch().count()};
  std::mutex mutex;
  uint32_t out = 0;
  uint32_t most = 0;
  uint64_t ejections = 0;
  const auto cluster = std::make_shared<Cluster>(
      "web",
      [&](const Transition& transition) {
        const std::lock_guard lock(mutex);
        if (transition.from == "closed") {
          ++out;
          ++ejections;
        }
        if (transition.to == "closed") --out;
        most = std::max(most, out);
      },
      Random(2));
  const auto snapshot =
      cluster->apply(settings, backend_settings_of(kBackends), Arrival::cold_start, kStart);
  const PriorityLevel& level = snapshot->levels[0];
  run_threads([&](size_t thread) {
    Random random(thread);
    for (int i = 0; i < kSessions; ++i) {
      const TimePoint now(Duration(clock.fetch_add(1000) + 1000));
      Backend& backend = *level.backends[random.below(kBackends)];
      const auto permit = cluster->admit(*snapshot, level, backend, now);
      if (!permit) continue;
      cluster->record_connect(*snapshot, backend, *permit, ConnectOutcome::connected, now, random);
      cluster->record_early_close(*snapshot, backend, *permit, now, random);
      backend.remove_connection();
    }
  });
  EXPECT_LE(most, kAllowed);
  EXPECT_EQ(most, kAllowed) << "the control: the cap is reached";
  EXPECT_GT(ejections, 10U);
  EXPECT_EQ(cluster->ejections().ejections(Detector::early_close), ejections);
  EXPECT_EQ(cluster->ejections().out(), out);
  EXPECT_GT(cluster->ejections().refusals(Detector::early_close), 0U);
}

}  // namespace
}  // namespace sluice
