#include "validate_logs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include "given.h"
#include "sluice/config/log_target.h"
#include "text.h"

namespace sluice {
namespace {

struct NamedLog {
  std::string_view section;
  const std::string& file;
  const SyslogOptions& syslog;
};

// The characters that end no tag in any of syslog's formats.
bool is_tag(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-' || c == '/';
  });
}

void validate_syslog(const NamedLog& log, const Places& places, Problems& problems) {
  const std::string section = fmt::format("{}.syslog", log.section);
  const Place* tag = given(places, {section + ".tag"});
  if (tag != nullptr && !is_tag(log.syslog.tag)) {
    problems.error(*tag, fmt::format("{}.tag: a tag is made of letters, digits and . _ - /, not "
                                     "'{}'",
                                     section, excerpt(log.syslog.tag)));
  }
  const Place* address = given(places, {section + ".address"});
  if (address != nullptr && log.syslog.address.is_ip() && log.syslog.address.port() == 0) {
    problems.error(*address, fmt::format("{}.address: nobody can be reached at port 0", section));
  }
  const Place* place = given(places, {section});
  if (place != nullptr && log_target(log.file) != LogTarget::syslog) {
    problems.warning(*place,
                     fmt::format("{} does nothing unless {}.file is syslog", section, log.section));
  }
}

}  // namespace

void validate_logs(const Config& config, const Places& places, Problems& problems) {
  validate_syslog({"log", config.log.file, config.log.syslog}, places, problems);
  validate_syslog({"access_log", config.access_log.file, config.access_log.syslog}, places,
                  problems);
}

}  // namespace sluice
