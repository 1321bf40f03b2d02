// A line as a syslog daemon wants it, one in a datagram.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/base/log_level.h"
#include "sluice/base/syslog_options.h"
#include "sluice/base/wall_time.h"

namespace sluice {

// Of a whole datagram. Daemons cut longer ones, or drop them: 8 KiB is what rsyslog takes unless
// told otherwise.
inline constexpr size_t kSyslogBytesMax = 8192;

// Who speaks.
struct SyslogOrigin {
  std::string host;
  int64_t process = 0;
};

// To a unix socket as syslog(3) writes, to an IP address as RFC 5424 says. A line that is too long
// is cut, between characters, and ends in `...`.
std::string frame_syslog(const SyslogOptions& options, const SyslogOrigin& origin, LogLevel level,
                         WallTime now, std::string_view line);

}  // namespace sluice
