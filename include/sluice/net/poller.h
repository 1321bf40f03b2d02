// Readiness of many sockets: one epoll of our own beside the libuv loop. The only file that knows.
// Why not a uv_poll_t per socket: it costs two more epoll_ctl and a mode switch for each, a DEL and
// an ADD at every change of interest, and turns an error event into UV_EBADF (libuv 1.44). Here a
// socket is added once, edge-triggered, and removed by its close.
#pragma once

#include <sys/epoll.h>
#include <uv.h>

#include <cstdint>
#include <optional>
#include <span>

#include "sluice/base/result.h"
#include "sluice/base/unique_fd.h"
#include "sluice/net/busy_poll.h"
#include "sluice/net/loop.h"

namespace sluice {

// What a socket is ready for, as epoll says it.
struct Readiness {
  uint32_t events = 0;

  bool is_readable() const;  // data, an end of stream or an error can be read
  bool is_writable() const;
  bool has_hangup() const;  // end of stream or error: read on until it shows
  bool is_hung_up() const;  // both directions are over, or have not begun
  bool has_error() const;
  bool has_urgent() const;
};

// Who is told. Lives at least until the end of the turn in which its sockets were closed.
class PollTarget {
 public:
  PollTarget() = default;
  PollTarget(const PollTarget&) = delete;
  PollTarget& operator=(const PollTarget&) = delete;
  virtual ~PollTarget() = default;

  // `tag` is the one given to Poller::add: which of the target's sockets.
  virtual void on_ready(unsigned tag, Readiness readiness) = 0;
};

class Poller {
 public:
  // Which of the two waits.
  enum class Nesting : uint8_t {
    inside_loop,  // Loop::run() does, and watches our epoll through a uv_poll_t
    around_loop,  // run_turn() does, and watches the loop's: one wait less in every turn
  };
  explicit Poller(Loop& loop, Nesting nesting = Nesting::inside_loop,
                  const BusyPollOptions& busy_poll = {});

  // Around the loop: waits for sockets, timers and the loop's other handles (only looks, unless it
  // `may_block`) and calls back for what is ready. After a turn with work it looks for more for a
  // moment before it blocks, if `busy_poll` says so.
  void run_turn(bool may_block);

  // Edge-triggered, for everything, until `fd` is closed. `tag` is 0 or 1.
  Result<void> add(int fd, PollTarget& target, unsigned tag);

  // Level-triggered, for accepting, until remove(). Of several pollers watching the same socket
  // only some are woken when `exclusive`.
  enum class Sharing : uint8_t { sole, exclusive };
  Result<void> add_listener(int fd, PollTarget& target, Sharing sharing);
  void remove(int fd);

 private:
  bool dispatch(int timeout_ms);
  int wait(std::span<epoll_event> events, int timeout_ms);
  int poll_busily(std::span<epoll_event> events);
  Result<void> control(int fd, uint32_t events, PollTarget& target, unsigned tag);

  Loop& loop_;
  UniqueFd epoll_;
  BusyPoll busy_poll_;
  bool has_worked_ = false;                 // in the turn before
  std::optional<Handle<uv_poll_t>> watch_;  // the loop's on our epoll, when that is inside
};

}  // namespace sluice
