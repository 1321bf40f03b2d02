#include "sluice/net/poller.h"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace sluice {
namespace {

constexpr int kEventsPerWait = 256;
// More waits in one turn only while each comes back full; then the loop's other handles have a go.
constexpr int kWaitsPerTurnMax = 4;
constexpr uintptr_t kTagMask = 1;
static_assert(alignof(PollTarget) > kTagMask, "the tag lives in the pointer's lowest bit");
constexpr uint64_t kLoopItself = 0;  // in place of a target: the loop's own descriptor

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "sluice: cannot %s: %s\n", what, std::strerror(errno));
  std::abort();
}

}  // namespace

bool Readiness::is_readable() const {
  return (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
}
bool Readiness::is_writable() const { return (events & EPOLLOUT) != 0; }
bool Readiness::has_hangup() const { return (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0; }
bool Readiness::is_hung_up() const { return (events & EPOLLHUP) != 0; }
bool Readiness::has_error() const { return (events & EPOLLERR) != 0; }
bool Readiness::has_urgent() const { return (events & EPOLLPRI) != 0; }

Poller::Poller(Loop& loop, Nesting nesting, const BusyPollOptions& busy_poll)
    : loop_(loop), epoll_(epoll_create1(EPOLL_CLOEXEC)), busy_poll_(busy_poll) {
  if (!epoll_) give_up("create an epoll descriptor");
  if (nesting == Nesting::around_loop) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kLoopItself;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, uv_backend_fd(loop.raw()), &event) != 0) {
      give_up("watch an event loop");
    }
    return;
  }
  watch_.emplace(this);
  uv_poll_init(loop.raw(), watch_->raw(), epoll_.get());
  uv_poll_start(watch_->raw(), UV_READABLE,
                [](uv_poll_t* poll, int, int) { static_cast<Poller*>(poll->data)->dispatch(0); });
}

Result<void> Poller::add(int fd, PollTarget& target, unsigned tag) {
  return control(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET, target, tag);
}

Result<void> Poller::add_listener(int fd, PollTarget& target, Sharing sharing) {
  uint32_t events = EPOLLIN;
  if (sharing == Sharing::exclusive) events |= EPOLLEXCLUSIVE;
  return control(fd, events, target, 0);
}

Result<void> Poller::control(int fd, uint32_t events, PollTarget& target, unsigned tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = reinterpret_cast<uintptr_t>(&target) | tag;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return failure(fmt::format("cannot watch a socket: {}", std::strerror(errno)), errno);
}

void Poller::remove(int fd) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

int Poller::wait(std::span<epoll_event> events, int timeout_ms) {
  if (timeout_ms != 0 && has_worked_) {
    if (const int count = poll_busily(events); count > 0) return count;
  }
  return epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms);
}

int Poller::poll_busily(std::span<epoll_event> events) {
  const auto began = Duration(uv_hrtime());
  const Duration span = busy_poll_.grant(TimePoint(began));
  Duration looked{0};
  int count = 0;
  while (count == 0 && looked < span) {
    count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    looked = Duration(uv_hrtime()) - began;
  }
  busy_poll_.spend(looked);
  return count;
}

// True when the loop itself is ready.
bool Poller::dispatch(int timeout_ms) {
  std::array<epoll_event, kEventsPerWait> events;
  bool is_loop_ready = false;
  for (int i = 0; i < kWaitsPerTurnMax; ++i) {
    const int count = wait(events, timeout_ms);
    uv_update_time(loop_.raw());
    has_worked_ = count > 0;
    for (const epoll_event& event :
         std::span(events).first(static_cast<size_t>(std::max(count, 0)))) {
      if (event.data.u64 == kLoopItself) {
        is_loop_ready = true;
        continue;
      }
      auto* target = reinterpret_cast<PollTarget*>(event.data.u64 & ~kTagMask);
      target->on_ready(static_cast<unsigned>(event.data.u64 & kTagMask), Readiness{event.events});
    }
    if (count < kEventsPerWait) break;
    timeout_ms = 0;
  }
  return is_loop_ready;
}

// Embedding as libuv documents it: uv_backend_timeout() is 0 when a timer is due and when a handle
// has been started whose descriptor the loop has yet to watch.
void Poller::run_turn(bool may_block) {
  uv_loop_t* loop = loop_.raw();
  uv_update_time(loop);
  const bool is_loop_ready = dispatch(may_block ? uv_backend_timeout(loop) : 0);
  if (is_loop_ready || uv_backend_timeout(loop) == 0) uv_run(loop, UV_RUN_NOWAIT);
}

}  // namespace sluice
