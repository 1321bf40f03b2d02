// Microbenchmarks of what Sluice does for every connection, and of reading its configuration. They
// find out where a change made something slower; whether it matters to a user, bench/run says.
//
//   micro-benchmarks --benchmark_filter=pick/least_connections
//
// With several threads, `Time` is the wall time divided by the operations of all threads together,
// so it halves when a second processor helps fully; `CPU` is what one operation costs its thread,
// so it stays the same when threads do not disturb each other. With more threads than processors
// only `CPU` says anything: the library averages the wall times of threads that did not all run at
// once, so `Time` and the rates flatter.
#include <benchmark/benchmark.h>

#include "subjects.h"

int main(int argument_count, char** arguments) {
  benchmark::Initialize(&argument_count, arguments);
  if (benchmark::ReportUnrecognizedArguments(argument_count, arguments)) return 2;
  sluice::bench::add_picker_benchmarks();
  sluice::bench::add_breaker_benchmarks();
  sluice::bench::add_maglev_table_benchmarks();
  sluice::bench::add_timer_wheel_benchmarks();
  sluice::bench::add_config_benchmarks();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
