#include "process_facts.h"

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <string>

namespace sluice {
namespace {

// proc(5) numbers the fields of stat from 1; the first two end with the last bracket.
constexpr size_t kThreadsField = 20;
constexpr size_t kStartField = 22;
constexpr size_t kVirtualField = 23;
constexpr size_t kResidentField = 24;

double to_seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return to_seconds(usage.ru_utime) + to_seconds(usage.ru_stime);
}

uint64_t max_fds() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

// When the machine started, in seconds since 1970.
double boot_seconds() {
  std::ifstream file("/proc/stat");
  std::string word;
  while (file >> word) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

std::optional<ProcessStat> read_process_stat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  return parse_process_stat(line);
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view line) {
  const size_t bracket = line.rfind(')');
  if (bracket == std::string_view::npos) return std::nullopt;
  std::array<uint64_t, kResidentField + 1> fields{};
  std::string_view rest = line.substr(bracket + 1);
  for (size_t field = 3; field < fields.size(); ++field) {
    if (!rest.starts_with(' ')) return std::nullopt;
    rest.remove_prefix(1);
    const std::string_view word = rest.substr(0, rest.find_first_of(" \n"));
    // Letters and negative numbers among them are not asked for: they stay 0.
    std::from_chars(word.data(), word.data() + word.size(), fields[field]);
    rest.remove_prefix(word.size());
  }
  return ProcessStat{.threads = fields[kThreadsField],
                     .start_ticks = fields[kStartField],
                     .virtual_bytes = fields[kVirtualField],
                     .resident_pages = fields[kResidentField]};
}

ProcessFacts read_process_facts() {
  ProcessFacts facts;
  facts.cpu_seconds = cpu_seconds();
  facts.max_fds = max_fds();
  if (const auto stat = read_process_stat()) {
    facts.threads = stat->threads;
    facts.virtual_bytes = stat->virtual_bytes;
    facts.resident_bytes = stat->resident_pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  return facts;
}

double read_process_start() {
  const auto stat = read_process_stat();
  const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return stat ? boot_seconds() + static_cast<double>(stat->start_ticks) / ticks_per_second : 0;
}

}  // namespace sluice
