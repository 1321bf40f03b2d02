#include "waiting.h"

#include <thread>

namespace sluice {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLookInterval{1};

}  // namespace

bool run_until(Loop& loop, FunctionRef<bool()> is_true, Duration patience) {
  const auto deadline = Clock::now() + patience;
  // Wakes the loop for a look even when nothing happens on it.
  Timer look(loop, [] {});
  while (!is_true()) {
    if (Clock::now() >= deadline) return false;
    look.start(kLookInterval);
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
