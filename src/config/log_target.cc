#include "sluice/config/log_target.h"

namespace sluice {

LogTarget log_target(std::string_view file) {
  if (file.empty()) return LogTarget::none;
  if (file == "syslog") return LogTarget::syslog;
  for (const std::string_view word : {"stdout", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
    if (file == word) return LogTarget::standard_output;
  }
  for (const std::string_view word : {"stderr", "/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"}) {
    if (file == word) return LogTarget::standard_error;
  }
  return LogTarget::file;
}

}  // namespace sluice
