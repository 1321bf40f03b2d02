#include "sluice/base/wall_time.h"

#include <fmt/chrono.h>

namespace sluice {

std::string format_rfc3339(WallTime time) {
  using std::chrono::floor;
  const auto second = floor<std::chrono::seconds>(time);
  const auto ms = floor<std::chrono::milliseconds>(time - second).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(second)), ms);
}

}  // namespace sluice
