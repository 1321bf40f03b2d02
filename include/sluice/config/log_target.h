// What `log.file` and `access_log.file` name.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice {

enum class LogTarget : uint8_t { none, file, standard_output, standard_error, syslog };

// `stdout`, `stderr` (by their names in /dev and /proc too) and `syslog` are no files; a file of
// such a name is `./syslog`. An empty text names nothing.
LogTarget log_target(std::string_view file);

}  // namespace sluice
