// What the system says of this process, for the metrics that every program has.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

struct ProcessFacts {
  double cpu_seconds = 0;  // user and system, all threads
  uint64_t virtual_bytes = 0;
  uint64_t resident_bytes = 0;
  uint64_t max_fds = 0;
  uint64_t threads = 0;
};

// What could not be read is 0.
ProcessFacts read_process_facts();

// When it began, in seconds since 1970. To be asked once: it is told relative to the machine's
// start, which the system takes for another one when its clock is set.
double read_process_start();

// Of a line as in /proc/PID/stat. Times in clock ticks, memory in bytes and pages.
struct ProcessStat {
  uint64_t threads = 0;
  uint64_t start_ticks = 0;  // since the machine's start
  uint64_t virtual_bytes = 0;
  uint64_t resident_pages = 0;
};
// Nothing when it is none. A program's name may hold blanks and brackets.
std::optional<ProcessStat> parse_process_stat(std::string_view line);

}  // namespace sluice
