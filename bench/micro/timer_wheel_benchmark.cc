// What deadlines cost. A worker has one TimerWheel for all its sessions: each is scheduled when it
// begins, moved when its deadline is checked and cancelled when it ends, and the worker stands
// still while advance() runs, so a tick with many entries due is the longest pause it makes.
//
// The entries lie as far apart as in sessions, because what such lists cost is cache misses. Time
// is made up: the loop is a real one but never runs, so that no benchmark waits.
#include <benchmark/benchmark.h>

#include <array>
#include <cstddef>
#include <vector>

#include "sluice/net/loop.h"
#include "sluice/net/timer_wheel.h"
#include "subjects.h"

namespace sluice::bench {
namespace {

constexpr size_t kSessions = 10'000;
constexpr Duration kIdleTimeout = std::chrono::hours(1);

// About what a session takes.
struct alignas(64) Session {
  TimerWheel::Entry deadline;
  std::array<std::byte, 296> rest;
};

void do_nothing(TimerWheel::Entry& /*entry*/) {}

// Moves one deadline after another, a millisecond later each time, as activity would.
void move(benchmark::State& state) {
  Loop loop;
  TimerWheel wheel(loop, do_nothing);
  std::vector<Session> sessions(kSessions);
  TimePoint deadline = loop.now() + kIdleTimeout;
  for (Session& session : sessions) wheel.schedule(session.deadline, deadline);
  size_t next = 0;
  for (auto _ : state) {
    wheel.schedule(sessions[next].deadline, deadline);
    deadline += std::chrono::milliseconds(1);
    next = (next + 1) % kSessions;
  }
  state.SetItemsProcessed(state.iterations());
}

void schedule_and_cancel(benchmark::State& state) {
  Loop loop;
  TimerWheel wheel(loop, do_nothing);
  std::vector<Session> sessions(kSessions);
  TimePoint deadline = loop.now() + kIdleTimeout;
  size_t next = 0;
  for (auto _ : state) {
    TimerWheel::Entry& entry = sessions[next].deadline;
    wheel.schedule(entry, deadline);
    benchmark::ClobberMemory();
    wheel.cancel(entry);
    deadline += std::chrono::milliseconds(1);
    next = (next + 1) % kSessions;
  }
  state.SetItemsProcessed(state.iterations());
}

// All entries due in the same tick; whoever is told schedules itself for the next, so that every
// turn has as many and nothing needs to be put back outside the measurement.
void advance_all_due(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  Loop loop;
  TimePoint now = loop.now();
  size_t told = 0;
  TimerWheel* scheduler = nullptr;
  TimerWheel wheel(loop, [&now, &told, &scheduler](TimerWheel::Entry& entry) {
    ++told;
    scheduler->schedule(entry, now + TimerWheel::kTick);
  });
  scheduler = &wheel;
  std::vector<Session> sessions(count);
  for (Session& session : sessions) wheel.schedule(session.deadline, now + TimerWheel::kTick);
  // The first tick may be a fraction away.
  now += 2 * TimerWheel::kTick;
  wheel.advance(now);
  told = 0;
  for (auto _ : state) {
    now += 2 * TimerWheel::kTick;
    wheel.advance(now);
  }
  if (told != count * static_cast<size_t>(state.iterations())) {
    state.SkipWithError("not every entry was told in every turn");
  }
  state.SetItemsProcessed(static_cast<int64_t>(told));
}

// One tick of a wheel whose entries are due evenly over the next hour: most of those that it meets
// are of a later round and wait on. Whoever is due is due again in an hour.
void advance_one_tick(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  Loop loop;
  TimePoint now = loop.now();
  int64_t told = 0;
  TimerWheel* scheduler = nullptr;
  TimerWheel wheel(loop, [&now, &told, &scheduler](TimerWheel::Entry& entry) {
    ++told;
    scheduler->schedule(entry, now + kIdleTimeout);
  });
  scheduler = &wheel;
  std::vector<Session> sessions(count);
  for (size_t i = 0; i < count; ++i) {
    wheel.schedule(sessions[i].deadline,
                   now + kIdleTimeout * static_cast<int64_t>(i + 1) / static_cast<int64_t>(count));
  }
  for (auto _ : state) {
    now += TimerWheel::kTick;
    wheel.advance(now);
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["told"] =
      benchmark::Counter(static_cast<double>(told), benchmark::Counter::kAvgIterations);
}

}  // namespace

void add_timer_wheel_benchmarks() {
  benchmark::RegisterBenchmark("timer_wheel/schedule/move", move);
  benchmark::RegisterBenchmark("timer_wheel/schedule+cancel", schedule_and_cancel);
  benchmark::RegisterBenchmark("timer_wheel/advance/all_due+scheduled_again", advance_all_due)
      ->ArgName("entries")
      ->Arg(100)
      ->Arg(10'000)
      ->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark("timer_wheel/advance/one_tick_of_an_hour", advance_one_tick)
      ->ArgName("entries")
      ->Arg(100)
      ->Arg(10'000)
      ->Arg(100'000)
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace sluice::bench
