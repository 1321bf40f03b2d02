#include "sluice/net/loop.h"

#include <cstdio>
#include <cstdlib>

namespace sluice {

Loop::Loop() : loop_(std::make_unique<uv_loop_t>()) {
  if (const int status = uv_loop_init(loop_.get()); status != 0) {
    std::fprintf(stderr, "sluice: cannot create an event loop: %s\n", uv_strerror(status));
    std::abort();
  }
}

Loop::~Loop() {
  uv_run(loop_.get(), UV_RUN_NOWAIT);
  if (uv_loop_close(loop_.get()) == 0) return;
  bool has_handles = false;
  uv_walk(
      loop_.get(),
      [](uv_handle_t* handle, void* found) {
        *static_cast<bool*>(found) = true;
        std::fprintf(stderr, "sluice: a loop was destroyed with a %s handle on it\n",
                     uv_handle_type_name(handle->type));
      },
      &has_handles);
  if (has_handles) std::abort();
  static_cast<void>(loop_.release());
}

void Loop::run() { uv_run(loop_.get(), UV_RUN_DEFAULT); }

Timer::Timer(Loop& loop, std::function<void()> on_due) : on_due_(std::move(on_due)), timer_(this) {
  uv_timer_init(loop.raw(), timer_.raw());
}

void Timer::start(Duration delay) {
  // Rounded up: a timer that is early by a fraction finds nothing due and has to be started again.
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(delay).count();
  uv_timer_start(
      timer_.raw(), [](uv_timer_t* timer) { static_cast<Timer*>(timer->data)->on_due_(); },
      ms > 0 ? static_cast<uint64_t>(ms) : 0, 0);
}

EveryTurn::EveryTurn(Loop& loop, std::function<void()> on_turn)
    : on_turn_(std::move(on_turn)), idle_(this) {
  uv_idle_init(loop.raw(), idle_.raw());
}

void EveryTurn::start() {
  uv_idle_start(idle_.raw(),
                [](uv_idle_t* idle) { static_cast<EveryTurn*>(idle->data)->on_turn_(); });
}

SignalWatcher::SignalWatcher(Loop& loop, int signal_number, std::function<void()> on_signal)
    : on_signal_(std::move(on_signal)), signal_(this) {
  uv_signal_init(loop.raw(), signal_.raw());
  uv_signal_start(
      signal_.raw(),
      [](uv_signal_t* signal, int) { static_cast<SignalWatcher*>(signal->data)->on_signal_(); },
      signal_number);
}

}  // namespace sluice
