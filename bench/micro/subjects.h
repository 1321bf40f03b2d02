// What is measured, one function and one file for each subject. Each adds its benchmarks to those
// that main() runs.
#pragma once

#include "sluice/base/time.h"

namespace sluice::bench {

// When what is measured takes place, where that matters.
inline constexpr TimePoint kNow{std::chrono::hours(1000)};

void add_picker_benchmarks();
void add_breaker_benchmarks();
void add_maglev_table_benchmarks();
void add_timer_wheel_benchmarks();
void add_config_benchmarks();

}  // namespace sluice::bench
