#include "syslog_frame.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>

namespace sluice {
namespace {

// RFC 5424, table 1. The numbers between ftp and local0 are nobody's.
constexpr std::array<int, kSyslogFacilityNames.size()> kFacilityNumbers = {
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23};
// Table 2, in the order of LogLevel: debug, informational, warning, error.
constexpr std::array<int, 4> kSeverityNumbers = {7, 6, 4, 3};

int priority(SyslogFacility facility, LogLevel level) {
  return kFacilityNumbers[static_cast<size_t>(facility)] * 8 +
         kSeverityNumbers[static_cast<size_t>(level)];
}

void append_cut(std::string& out, std::string_view line, size_t room) {
  constexpr std::string_view kMark = "...";
  if (line.size() <= room) {
    out += line;
    return;
  }
  size_t kept = room - kMark.size();
  const auto continues = [&](size_t i) { return (static_cast<uint8_t>(line[i]) & 0xC0U) == 0x80U; };
  while (kept > 0 && continues(kept)) --kept;
  out += line.substr(0, kept);
  out += kMark;
}

}  // namespace

std::string frame_syslog(const SyslogOptions& options, const SyslogOrigin& origin, LogLevel level,
                         WallTime now, std::string_view line) {
  const int number = priority(options.facility, level);
  std::string frame;
  if (options.address.is_unix()) {
    const std::tm local = fmt::localtime(std::chrono::system_clock::to_time_t(now));
    frame =
        fmt::format("<{}>{:%b %e %H:%M:%S} {}[{}]: ", number, local, options.tag, origin.process);
  } else {
    frame = fmt::format("<{}>1 {} {} {} {} - - ", number, format_rfc3339(now),
                        origin.host.empty() ? "-" : origin.host, options.tag, origin.process);
  }
  append_cut(frame, line, kSyslogBytesMax - frame.size());
  return frame;
}

}  // namespace sluice
