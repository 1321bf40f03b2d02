// One libuv loop: owns it, runs it, tells its time. Everything that hangs on a loop is used on the
// thread that runs it. Destroyed only when empty: whoever owns handles gives them up first.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <thread>

#include "sluice/base/time.h"

namespace sluice {

class Loop {
 public:
  Loop();
  // Lets closing handles finish. A handle still open is a bug and aborts with its type named. A
  // question to the system's resolver that is still open cannot be interrupted: libuv's thread will
  // write to the loop when it is answered, so the loop is then left behind.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop(), then returns.
  void run();
  void stop() { uv_stop(loop_.get()); }

  // The time as of this turn of the loop: it stands still while callbacks run. Millisecond ticks of
  // the machine's monotonic clock, the same for all loops.
  TimePoint now() const { return TimePoint(std::chrono::milliseconds(uv_now(loop_.get()))); }

  uv_loop_t* raw() { return loop_.get(); }

 private:
  std::unique_ptr<uv_loop_t> loop_;
};

// Owns a libuv handle, which libuv wants alive until its close callback has run.
template <typename Raw>
class Handle {
 public:
  explicit Handle(void* owner) : raw_(new Raw{}) { raw_->data = owner; }
  ~Handle() {
    uv_close(reinterpret_cast<uv_handle_t*>(raw_),
             [](uv_handle_t* handle) { delete reinterpret_cast<Raw*>(handle); });
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  Raw* raw() { return raw_; }

 private:
  Raw* raw_;
};

// Calls back once, a span after start(). Starting again moves it.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> on_due);

  void start(Duration delay);
  void stop() { uv_timer_stop(timer_.raw()); }
  bool is_running() { return uv_is_active(reinterpret_cast<uv_handle_t*>(timer_.raw())) != 0; }

 private:
  std::function<void()> on_due_;
  Handle<uv_timer_t> timer_;
};

// Calls back in every turn while it runs; the loop does not block meanwhile.
class EveryTurn {
 public:
  EveryTurn(Loop& loop, std::function<void()> on_turn);

  void start();
  void stop() { uv_idle_stop(idle_.raw()); }

 private:
  std::function<void()> on_turn_;
  Handle<uv_idle_t> idle_;
};

// Calls back on a signal, on the loop's thread.
class SignalWatcher {
 public:
  SignalWatcher(Loop& loop, int signal_number, std::function<void()> on_signal);

 private:
  std::function<void()> on_signal_;
  Handle<uv_signal_t> signal_;
};

}  // namespace sluice
