// What a new table of policy maglev costs the control loop, which probes nobody and tells nobody
// anything meanwhile: at a start, and whenever a reload or an operator changes weights or backends.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>
#include <vector>

#include "core/maglev_table.h"
#include "subjects.h"

namespace sluice::bench {
namespace {

// `spread`: the heaviest weighs so many times the lightest.
void build(benchmark::State& state) {
  const auto count = static_cast<uint32_t>(state.range(0));
  const auto spread = static_cast<uint32_t>(state.range(1));
  std::vector<std::shared_ptr<Backend>> backends;
  for (uint32_t i = 0; i < count; ++i) {
    BackendSettings settings;
    settings.name = fmt::format("backend-{}", i);
    settings.weight = i == 0 ? spread : 1;
    backends.push_back(std::make_shared<Backend>(settings, Arrival::cold_start));
  }
  for (auto _ : state) benchmark::DoNotOptimize(MaglevTable(backends));
}

}  // namespace

void add_maglev_table_benchmarks() {
  benchmark::RegisterBenchmark("maglev_table/build", build)
      ->ArgNames({"backends", "spread"})
      ->ArgsProduct({{3, 100, 10'000}, {1, 1000}})
      ->Unit(benchmark::kMillisecond);
}

}  // namespace sluice::bench
