#include "sluice/net/poller.h"

#include <fmt/format.h>
#include <sys/epoll.h>

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

}  // namespace

bool Readiness::is_readable() const {
  return (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
}
bool Readiness::is_writable() const { return (events & EPOLLOUT) != 0; }
bool Readiness::has_hangup() const { return (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0; }
bool Readiness::is_hung_up() const { return (events & EPOLLHUP) != 0; }
bool Readiness::has_error() const { return (events & EPOLLERR) != 0; }
bool Readiness::has_urgent() const { return (events & EPOLLPRI) != 0; }

Poller::Poller(Loop& loop) : epoll_(epoll_create1(EPOLL_CLOEXEC)), poll_(this) {
  if (!epoll_) {
    std::fprintf(stderr, "sluice: cannot create an epoll descriptor: %s\n", std::strerror(errno));
    std::abort();
  }
  uv_poll_init(loop.raw(), poll_.raw(), epoll_.get());
  uv_poll_start(poll_.raw(), UV_READABLE,
                [](uv_poll_t* poll, int, int) { static_cast<Poller*>(poll->data)->dispatch(); });
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

void Poller::dispatch() {
  std::array<epoll_event, kEventsPerWait> events;
  for (int wait = 0; wait < kWaitsPerTurnMax; ++wait) {
    const int count = epoll_wait(epoll_.get(), events.data(), kEventsPerWait, 0);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      auto* target = reinterpret_cast<PollTarget*>(event.data.u64 & ~kTagMask);
      target->on_ready(static_cast<unsigned>(event.data.u64 & kTagMask), Readiness{event.events});
    }
    if (count < kEventsPerWait) return;
  }
}

}  // namespace sluice
