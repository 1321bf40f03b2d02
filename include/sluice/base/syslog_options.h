// How a log goes to a syslog daemon, in the words of the configuration.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/base/address.h"

namespace sluice {

enum class SyslogFacility : uint8_t {
  user,
  mail,
  daemon,
  auth,
  syslog,
  lpr,
  news,
  uucp,
  cron,
  authpriv,
  ftp,
  local0,
  local1,
  local2,
  local3,
  local4,
  local5,
  local6,
  local7,
};

inline constexpr std::array<std::string_view, 19> kSyslogFacilityNames = {
    "user",     "mail", "daemon", "auth",   "syslog", "lpr",    "news",   "uucp",   "cron",  //
    "authpriv", "ftp",  "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7"};

struct SyslogOptions {
  Address address = Address::unix_path("/dev/log");  // or an IP address: over UDP
  SyslogFacility facility = SyslogFacility::daemon;
  std::string tag = "sluice";
};

}  // namespace sluice
