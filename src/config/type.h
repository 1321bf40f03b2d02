// What a setting's value may be: the part of a schema row that the reader checks against and that
// the reference, the help and the JSON schema describe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/time.h"

namespace sluice {

enum class Kind : uint8_t {
  boolean,
  integer,
  percent,
  decimal,  // with up to six digits after the point
  duration,
  choice,
  text,
  file_mode,       // octal digits
  name,            // of a listener, cluster or backend
  bind_address,    // an IP address with port, or a unix socket
  peer_address,    // that, or a host name with port
  source_address,  // an IP address, its port optional
  payload,         // text, or {hex: ...}
  status_range,    // an HTTP status, or 200-399
  line_format,     // text, json, or a template
  section,         // settings below it
  list,            // of sections
};

struct Type {
  Kind kind = Kind::text;
  int64_t least = 0;  // integer; duration in nanoseconds; text and payload: bytes
  int64_t greatest = 0;
  std::string_view none{};  // the word for no value (off, auto); empty: there is always one
  std::vector<std::string_view> choices{};  // in the order of the enumerators
  std::string_view shorthand{};  // section, list: the setting that a value in place of a map is for
  bool may_be_one = false;       // a list of values that may be given as one value
  bool counts_seconds = false;   // duration: the kernel takes whole seconds
  bool counts_microseconds = false;  // duration: so short that it may be given in those

  Type or_off() const { return or_none("off"); }
  Type or_auto() const { return or_none("auto"); }
  Type or_none(std::string_view word) const;
  Type in_seconds() const;
  Type in_microseconds() const;
  Type or_list() const;
};

Type boolean();
Type integer(int64_t least, int64_t greatest);
Type percent();
Type decimal(int64_t least, int64_t greatest);
Type duration(Duration least, Duration greatest);
Type choice(std::vector<std::string_view> choices);
Type text(int64_t bytes_max);
Type file_mode();
Type name_type();
Type bind_address();
Type peer_address();
Type source_address();
Type payload(int64_t bytes_max);
Type status_range();
Type line_format(int64_t bytes_max);
Type section(std::string_view shorthand = "");
Type list(std::string_view shorthand = "");

// `duration, 10ms to 1h, or off`.
std::string describe(const Type& type);

// `1 to 1000`, `10ms to 1h`; empty where there is no range.
std::string describe_range(const Type& type);

}  // namespace sluice
