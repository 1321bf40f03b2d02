// How long a configuration takes to read, from text to checked structs: most of what `sluice check`
// does, and part of every start and reload. It should grow no faster than the text.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/config/reader.h"
#include "subjects.h"

namespace sluice::bench {
namespace {

std::string configuration_of(int64_t backends) {
  std::string text =
      "listeners:\n"
      "  - {name: web, address: 127.0.0.1:8080, cluster: web}\n"
      "clusters:\n"
      "  - name: web\n"
      "    backends:\n";
  for (int64_t i = 0; i < backends; ++i) {
    fmt::format_to(std::back_inserter(text),
                   "      - {{name: backend-{}, address: 10.0.{}.{}:80, weight: {}}}\n", i, i / 256,
                   i % 256, 1 + i % 3);
  }
  return text;
}

void read(benchmark::State& state) {
  const std::string text = configuration_of(state.range(0));
  const Environment environment = [](std::string_view) { return std::optional<std::string>(); };
  for (auto _ : state) {
    ReadResult result = read_config(text, environment);
    if (!result.config) {
      state.SkipWithError("the generated configuration is not valid");
      break;
    }
    benchmark::DoNotOptimize(result);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
  state.counters["per_backend"] = benchmark::Counter(
      static_cast<double>(state.range(0)),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

}  // namespace

void add_config_benchmarks() {
  benchmark::RegisterBenchmark("config/read", read)
      ->ArgName("backends")
      ->Arg(3)
      ->Arg(1'000)
      ->Arg(10'000)
      ->Unit(benchmark::kMillisecond);
}

}  // namespace sluice::bench
