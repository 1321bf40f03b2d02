// What is measured, one function and one file for each subject. Each adds its benchmarks to those
// that main() runs.
#pragma once

namespace sluice::bench {

void add_picker_benchmarks();
void add_breaker_benchmarks();
void add_maglev_table_benchmarks();
void add_timer_wheel_benchmarks();
void add_config_benchmarks();

}  // namespace sluice::bench
