#include "waiting.h"

#include <thread>

namespace sluice {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLookInterval{1};

}  // namespace

bool run_until(Loop& loop, FunctionRef<bool()> is_true, Duration patience) {
  const auto deadline = Clock::now() + patience;
  // Wakes the loop for a look even when nothing happens on it. It starts itself again, because a
  // round runs what is due before it blocks.
  Timer look(loop, [&look] { look.start(kLookInterval); });
  look.start(kLookInterval);
  while (!is_true()) {
    if (Clock::now() >= deadline) return false;
    uv_run(loop.raw(), UV_RUN_ONCE);
  }
  return true;
}

void run_once(Loop& loop) { uv_run(loop.raw(), UV_RUN_NOWAIT); }

bool wait_until(FunctionRef<bool()> is_true, Duration patience) {
  const auto deadline = Clock::now() + patience;
  while (!is_true()) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kLookInterval);
  }
  return true;
}

}  // namespace sluice
