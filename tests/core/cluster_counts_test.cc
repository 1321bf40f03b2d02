// What is counted of a cluster and its backends.
#include "support.h"

namespace sluice {
namespace {

class ClusterCountsTest : public ClusterTest {
 protected:
  static uint64_t probes(const Backend& backend, std::string_view result) {
    return backend.events().probes[find_probe_result(result).value()];
  }
  static uint64_t turned(const Backend& backend, BreakerState to) {
    return backend.events().breaker_transitions[static_cast<size_t>(to)];
  }
  // As the control loop does with each transition that reaches it.
  void take_notes() {
    for (const Transition& transition : std::exchange(transitions, {})) {
      cluster->take_note(transition, now);
    }
  }
};

TEST_F(ClusterCountsTest, probes_are_counted_by_result_also_those_that_decide_nothing) {
  apply(backend_settings_of(1));
  const auto record = [&](bool passed, std::string_view result, bool is_inconclusive = false) {
    cluster->record_probe(backend(0),
                          {.began_at = now,
                           .passed = passed,
                           .result = result,
                           .permit = std::nullopt,
                           .is_inconclusive = is_inconclusive},
                          now);
  };
  record(true, "passed");
  record(true, "passed");
  record(false, "refused");
  record(false, "local_error", true);
  record(false, "no such word");
  EXPECT_EQ(probes(backend(0), "passed"), 2U);
  EXPECT_EQ(probes(backend(0), "refused"), 1U);
  EXPECT_EQ(probes(backend(0), "local_error"), 1U);
  EXPECT_EQ(probes(backend(0), "mismatch"), 0U);
}

TEST_F(ClusterCountsTest, breaker_transitions_are_counted_by_what_it_turned_to) {
  apply(backend_settings_of(2));
  cluster->trip(backend(0), now);
  cluster->reset(backend(0), now);
  cluster->trip(backend(0), now);
  take_notes();
  EXPECT_EQ(turned(backend(0), BreakerState::open), 2U);
  EXPECT_EQ(turned(backend(0), BreakerState::closed), 1U);
  EXPECT_EQ(turned(backend(0), BreakerState::half_open), 0U);
  EXPECT_EQ(turned(backend(1), BreakerState::open), 0U);
}

TEST_F(ClusterCountsTest, what_the_workers_count_adds_up_and_survives_a_reload) {
  cluster = std::make_shared<Cluster>(
      "web", [](const Transition&) {}, Random(2), 3);
  apply(backend_settings_of(1));
  for (size_t worker = 0; worker < 3; ++worker) {
    backend(0).tally(worker).received.add(10 * (worker + 1));
    backend(0).tally(worker).sent.add(1);
    backend(0).tally(worker).connect_ms.add(3);
    cluster->tally(worker).retries.add();
    cluster->tally(worker).connect_ms.add(7);
  }
  apply(backend_settings_of(2));
  EXPECT_EQ(backend(0).totals().received, 60U);
  EXPECT_EQ(backend(0).totals().sent, 3U);
  EXPECT_EQ(backend(0).totals().connect_ms.sum, 9U);
  EXPECT_EQ(backend(1).totals().received, 0U);
  EXPECT_EQ(cluster->totals().retries, 3U);
  EXPECT_EQ(cluster->totals().connect_ms.total(), 3U);
}

TEST(PerWorkerTest, tallies_of_two_workers_share_no_cache_line) {
  PerWorker<Counter> counters(4);
  for (size_t worker = 0; worker < 4; ++worker) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(&counters.of(worker)) % kCacheLine, 0U);
  }
}

}  // namespace
}  // namespace sluice
