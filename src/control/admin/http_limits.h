// By these every client of the HTTP server is bounded in time and memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sluice/base/time.h"

namespace sluice {

struct HttpLimits {
  uint32_t connections_max = 256;
  uint32_t connections_per_ip_max = 128;
  uint32_t streams_max = 64;
  uint32_t streams_per_ip_max = 32;
  size_t head_bytes_max = size_t{16} * 1024;
  uint32_t headers_max = 100;
  size_t target_bytes_max = 2048;
  size_t body_bytes_max = size_t{64} * 1024;
  Duration request_time_max = std::chrono::seconds(10);  // to come, since it is awaited
  Duration handler_time_max = std::chrono::seconds(3);   // until the handler has answered
  Duration answer_time_max = std::chrono::seconds(30);   // to be taken
  size_t answer_bytes_max = size_t{64} << 20U;  // of all that are on their way; one always may be
  unsigned stall_seconds_max = 10;              // of a reader that takes nothing
  Duration sweep_interval = std::chrono::seconds(1);  // how often these times are looked at
  unsigned work_percent_max = 50;  // of the loop's time, however much there would be to do

  // What the library may use for one client: a head, and what of a stream is on its way. A head
  // that does not fit in there the library refuses itself, in its own words; so there is room for
  // one that is too large for us.
  size_t connection_bytes_max() const { return 2 * head_bytes_max; }
};

}  // namespace sluice
