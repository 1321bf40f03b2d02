// How late a loop comes to what is due: a timer a second compares when it was due with when it ran,
// which is what anything else on that loop had to wait too. What is told is the worst of the last
// while, so that whoever looks now and then misses no bad second that was measured.
//
// The timer runs from watch() on until nothing has asked for it for a while, so a loop with nothing
// to do is left asleep. On the loop's thread, but for worst().
#pragma once

#include <array>
#include <cstddef>
#include <functional>

#include "sluice/base/counter.h"
#include "sluice/base/time.h"
#include "sluice/net/loop.h"

namespace sluice {

class LoopLag {
 public:
  static constexpr Duration kInterval = std::chrono::seconds(1);
  // Those that are looked back at: somewhat more than scrapes are usually apart.
  static constexpr size_t kSamples = 20;

  // `is_busy` says whether there is anything on the loop that could suffer.
  LoopLag(Loop& loop, std::function<bool()> is_busy, Duration interval = kInterval);

  // Measures from now on, if it does not yet.
  void watch() {
    if (!is_watching_) begin();
  }

  // Any thread; zero when nothing was measured lately.
  Duration worst() const { return Duration(static_cast<Duration::rep>(worst_.value())); }

 private:
  void begin();
  void arm();
  void on_due();

  Loop& loop_;
  const std::function<bool()> is_busy_;
  const Duration interval_;
  Timer timer_;
  TimePoint due_{};
  bool is_watching_ = false;
  std::array<Duration, kSamples> samples_{};  // a ring
  size_t next_ = 0;
  size_t idle_samples_ = 0;  // in a row
  Gauge worst_;
};

}  // namespace sluice
