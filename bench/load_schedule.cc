#include "load_schedule.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>

namespace sluice::bench {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kTick = 250'000;

}  // namespace

Schedule::Schedule(Loop& loop, uint64_t rate)
    : rate_(rate), timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  if (timer_ < 0) fail("cannot make a timer", errno);
  // Edge-triggered: setting it again forgets what it had to say, so it need not be read.
  loop.add(timer_, EPOLLIN | EPOLLET, *this);
}

Schedule::~Schedule() { ::close(timer_); }

void Schedule::start() {
  started_at_ns_ = now_ns();
  send_what_is_due();
}

void Schedule::take(Scheduled& connection) {
  free_.push_back(&connection);
  if (started_at_ns_) send_what_is_due();
}

void Schedule::on_ready(uint32_t) { send_what_is_due(); }

// Whole seconds apart from the rest: no rounding that adds up, no overflow.
uint64_t Schedule::next_due_ns() const {
  const uint64_t offset = sent_ / rate_ * kSecond + sent_ % rate_ * kSecond / rate_;
  return *started_at_ns_ + offset - offset % kTick;
}

void Schedule::send_what_is_due() {
  const uint64_t now = now_ns();
  while (!free_.empty() && next_due_ns() <= now) {
    Scheduled* const connection = free_.front();
    free_.pop_front();
    const uint64_t due_ns = next_due_ns();
    ++sent_;
    connection->send_request_due_at(due_ns);
  }
  // With no connection free the next one that becomes free looks again.
  if (!free_.empty()) wake_at(next_due_ns());
}

void Schedule::wake_at(uint64_t due_ns) {
  if (due_ns == wakes_at_ns_) return;
  wakes_at_ns_ = due_ns;
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(due_ns / kSecond);
  when.it_value.tv_nsec = static_cast<long>(due_ns % kSecond);
  if (::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr) != 0) {
    fail("cannot set a timer", errno);
  }
}

}  // namespace sluice::bench
