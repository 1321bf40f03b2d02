#include "sluice/net/loop_lag.h"

#include <algorithm>
#include <utility>

namespace sluice {

LoopLag::LoopLag(Loop& loop, std::function<bool()> is_busy, Duration interval)
    : loop_(loop),
      is_busy_(std::move(is_busy)),
      interval_(interval),
      timer_(loop, [this] { on_due(); }) {}

void LoopLag::begin() {
  is_watching_ = true;
  arm();
}

void LoopLag::arm() {
  due_ = loop_.now() + interval_;
  timer_.start(interval_);
}

// The loop's own time stands still since the turn began; the machine's clock is the same one.
void LoopLag::on_due() {
  const TimePoint ran_at{Duration(uv_hrtime())};
  samples_[next_] = std::max(ran_at - due_, Duration::zero());
  next_ = (next_ + 1) % kSamples;
  worst_.set(static_cast<uint64_t>(std::max_element(samples_.begin(), samples_.end())->count()));
  idle_samples_ = is_busy_() ? 0 : idle_samples_ + 1;
  if (idle_samples_ <= kSamples) {
    arm();
    return;
  }
  // By now all samples are of an idle loop.
  idle_samples_ = 0;
  samples_.fill({});
  worst_.set(0);
  is_watching_ = false;
}

}  // namespace sluice
