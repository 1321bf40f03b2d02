// What one backend's circuit breaker costs when all workers ask the same one, which is the worst
// case: a cluster of a single backend. Admission is asked for every candidate of every pick, so a
// closed breaker must be a read that all processors can share, and an open one too, because then
// every client is refused. Failures do write, to one word for all: they show what contention costs.
//
// An ordinary connect's outcome goes where Cluster takes it: to the OutlierDetector beside the
// breaker. Only the trial's outcome goes to the breaker itself.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <limits>
#include <memory>
#include <optional>

#include "sluice/core/circuit_breaker.h"
#include "sluice/core/outlier_detector.h"
#include "subjects.h"

namespace sluice::bench {
namespace {

constexpr TimePoint kReopened = kNow + std::chrono::hours(1);
// So high that no run gets there.
constexpr uint32_t kThreshold = std::numeric_limits<uint32_t>::max();

constexpr auto kIgnore = [](const BreakerChange&) {};

// One backend's share, on its own cache lines like in Backend.
struct alignas(64) Guard {
  CircuitBreaker breaker;
  OutlierDetector detector;
};

std::shared_ptr<Guard> open_guard() {
  auto guard = std::make_shared<Guard>();
  Random random(1);
  guard->breaker.trip(guard->breaker.generation(), kNow, {}, random, kIgnore);
  return guard;
}

// The permit is checked, as every caller does.
void admit_and_record(benchmark::State& state, Guard& guard, ConnectOutcome outcome) {
  // The other threads are still waiting for the loop to begin.
  if (state.thread_index() == 0) guard.detector.begin_generation(guard.breaker.generation());
  for (auto _ : state) {
    const std::optional<Permit> permit = guard.breaker.admit(kNow, kIgnore);
    if (!permit) {
      state.SkipWithError("a closed breaker refused");
      break;
    }
    auto ejection = guard.detector.record(*permit, outcome, kThreshold);
    benchmark::DoNotOptimize(ejection);
  }
  state.SetItemsProcessed(state.iterations());
}

void refuse(benchmark::State& state, CircuitBreaker& breaker) {
  for (auto _ : state) {
    std::optional<Permit> permit = breaker.admit(kNow, kIgnore);
    if (permit) {
      state.SkipWithError("an open breaker admitted");
      break;
    }
    benchmark::DoNotOptimize(permit);
  }
  state.SetItemsProcessed(state.iterations());
}

// Who gets the trial gives it back, so the breaker stays half_open. `trials` is the part of the
// asked that got it.
void ask_for_trial(benchmark::State& state, CircuitBreaker& breaker) {
  int64_t trials = 0;
  for (auto _ : state) {
    const std::optional<Permit> permit = breaker.admit(kReopened, kIgnore);
    if (!permit) continue;
    ++trials;
    breaker.abandoned(*permit);
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["trials"] =
      benchmark::Counter(static_cast<double>(trials) / static_cast<double>(state.iterations()),
                         benchmark::Counter::kAvgThreads);
}

// A whole outage: closed, open, half_open, closed.
void trip_and_recover(benchmark::State& state) {
  Guard guard;
  Random random(1);
  const CircuitBreakerSettings settings;
  for (auto _ : state) {
    guard.breaker.trip(guard.breaker.generation(), kNow, settings, random, kIgnore);
    const std::optional<Permit> permit = guard.breaker.admit(kReopened, kIgnore);
    if (!permit) {
      state.SkipWithError("no trial after the reopening time");
      break;
    }
    guard.breaker.succeeded(*permit, settings, kIgnore);
  }
  state.SetItemsProcessed(state.iterations());
}

}  // namespace

void add_breaker_benchmarks() {
  for (const ConnectOutcome outcome : {ConnectOutcome::connected, ConnectOutcome::refused}) {
    const auto guard = std::make_shared<Guard>();
    benchmark::RegisterBenchmark(
        fmt::format("breaker/closed/admit+{}", name(outcome)).c_str(),
        [guard, outcome](benchmark::State& state) { admit_and_record(state, *guard, outcome); })
        ->ThreadRange(1, 8)
        ->UseRealTime();
  }
  const auto guard = open_guard();
  benchmark::RegisterBenchmark("breaker/open/refused",
                               [guard](benchmark::State& state) { refuse(state, guard->breaker); })
      ->ThreadRange(1, 8)
      ->UseRealTime();
  const auto reopened = open_guard();
  benchmark::RegisterBenchmark(
      "breaker/half_open/admit+abandoned",
      [reopened](benchmark::State& state) { ask_for_trial(state, reopened->breaker); })
      ->ThreadRange(1, 8)
      ->UseRealTime();
  benchmark::RegisterBenchmark("breaker/trip+recover", trip_and_recover);
}

}  // namespace sluice::bench
