// libFuzzer entry for the reader of the state file. Whatever the bytes, it must return; and what it
// accepts must, written again, be read as the same.
//
//   fuzz-state -max_total_time=300 CORPUS tests/fuzz/corpus/state
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sluice/control/state_file.h"

namespace {

void check(bool is_true) {
  if (!is_true) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const sluice::Moment now{.monotonic = sluice::TimePoint(std::chrono::hours(1)),
                           .wall = sluice::WallTime(std::chrono::milliseconds(1'767'225'600'123))};
  const auto state = sluice::parse_state(text, now);
  if (!state) {
    check(!state.error().message.empty());
    return 0;
  }
  const auto again = sluice::parse_state(sluice::render_state(state->clusters, now), now);
  check(again.has_value());
  check(again->clusters == state->clusters);
  check(again->written_at == now.wall);
  return 0;
}
