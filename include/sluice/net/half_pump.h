// One direction of a session: moves bytes from a source socket to a sink socket. A session has two.
//
// Copy first: what is read into the worker's scratch buffer is written in the same turn, and only
// what did not fit is kept, in a buffer that exists while it is needed. A direction that keeps
// filling its reads is promoted to splice(2) through a pipe from the pool, and demoted when it
// calms down. So small messages never pay for a pipe and bulk never pays for a copy.
//
// Invariants:
// - Nothing is read while bytes of before are still in flight, so what is in flight is bounded by
//   one read or one pipe, and a slow reader slows its writer down.
// - A pipe is filled only when it is empty. Then EAGAIN on filling means "the source has nothing",
//   and on draining "the sink is full". (A pipe fills by slots, not by bytes.)
// - A pipe is held only while bytes are in it, and goes back to the pool only empty.
// - With edge triggering a socket that may still have something must be left marked readable. A
//   short read says "empty" only while no hang-up and no urgent byte was announced for that socket,
//   and never on a unix one.
//
// What a pump wants to wait for is derived from these, never stored.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sluice/base/unique_fd.h"
#include "sluice/net/pipe_pool.h"
#include "sluice/net/poller.h"

namespace sluice {

// One socket of a session and what is known about it.
struct Endpoint {
  UniqueFd fd;
  int error = 0;  // the errno it broke with; 0 while it works
  bool is_readable = false;
  bool is_writable = false;
  bool has_hangup = false;  // read until the end of the stream or the error itself shows
  bool has_urgent = false;  // an urgent byte was announced: reads stop short at it, splice hangs
  // TCP_NODELAY is to be set before the second write: nothing delays the first, and many a session
  // has no second.
  bool is_nodelay_due = false;
  bool is_unix = false;  // reads stop short at a passed descriptor, unannounced

  bool is_broken() const { return error != 0; }
  void break_with(int problem);
  void take_in(Readiness readiness);
};

// What all pumps of a worker share.
struct PumpResources {
  std::span<char> scratch;  // at least HalfPump::kCopyBytesMax
  PipePool& pipes;
  bool may_splice = true;
};

class HalfPump {
 public:
  // One read of the copy path.
  static constexpr size_t kCopyBytesMax = 64 * 1024;
  // What one direction may move in one turn before the others have theirs.
  static constexpr size_t kBytesPerTurnMax = 1024 * 1024;

  enum class State : uint8_t {
    flowing,
    draining,  // the source has ended, its last bytes are on their way
    done,      // every byte was handed to the sink, or can no longer be
  };
  enum class Progress : uint8_t {
    waiting,      // for the source, the sink, or nothing more
    out_of_turn,  // used up its share: step again in the next turn
  };

  HalfPump() = default;
  HalfPump(const HalfPump&) = delete;
  HalfPump& operator=(const HalfPump&) = delete;

  // Moves what can be moved now. Breaks (sets the error of) an endpoint on which the kernel reports
  // one: a broken source still gives up what it received before, a broken sink takes nothing more.
  // Does not pass the end of the stream on: that is the session's, when the pump is done.
  Progress step(Endpoint& source, Endpoint& sink, PumpResources& resources);

  State state() const { return state_; }
  bool is_done() const { return state_ == State::done; }
  // Bytes read and not yet handed to the sink's socket.
  size_t bytes_in_flight() const { return piped_bytes_ + (remainder_ ? remainder_->size() : 0); }
  // Bytes handed to the sink's socket.
  uint64_t bytes_moved() const { return bytes_moved_; }

  // Drops what is in flight and gives the pipe up.
  void abandon(PipePool& pipes);

 private:
  enum class Mode : uint8_t { copy, splice };
  // What the sink did not take of a read.
  struct Remainder {
    std::vector<char> bytes;
    size_t written = 0;  // of them
    size_t size() const { return bytes.size() - written; }
  };

  bool flush(Endpoint& sink, PumpResources& resources);
  bool flush_remainder(Endpoint& sink);
  bool flush_pipe(Endpoint& sink, PumpResources& resources);
  size_t fill(Endpoint& source, Endpoint& sink, PumpResources& resources);
  size_t copy(Endpoint& source, Endpoint& sink, PumpResources& resources);
  size_t splice_in(Endpoint& source, PumpResources& resources);
  void before_write(Endpoint& sink) const;
  void judge_read(size_t bytes, const Endpoint& source, PumpResources& resources);
  void end_source(Endpoint& source, ssize_t result, int error);
  bool use_pipe(PumpResources& resources);

  State state_ = State::flowing;
  Mode mode_ = Mode::copy;
  uint8_t bulk_reads_ = 0;   // in a row, while copying
  uint8_t small_reads_ = 0;  // in a row, while splicing
  uint32_t piped_bytes_ = 0;
  std::unique_ptr<Remainder> remainder_;
  std::unique_ptr<Pipe> pipe_;
  uint64_t bytes_moved_ = 0;
};

// What the pumps of a worker read into and write from. It begins at a cache line: there are
// processors on which the kernel's copy to 16 bytes beside one costs twice the time (measured: 1.7
// times the CPU of a 16 KiB round trip on an AMD EPYC of the third generation).
struct alignas(64) ScratchBuffer {
  std::array<char, HalfPump::kCopyBytesMax> bytes;
};

}  // namespace sluice
