// Writes lines to a descriptor of whatever kind without ever blocking the loop. Those of one turn
// are written together, at its end. What a slow reader leaves is queued; the owner stops reading
// input while the queue is full, and so the queue is bounded. Lives on the loop's thread.
#pragma once

#include <uv.h>

#include <functional>
#include <string>
#include <string_view>

#include "maelstrom/owned_handle.h"
#include "sluice/base/result.h"
#include "sluice/net/loop.h"

namespace sluice {

class LineOutput {
 public:
  // Of unwritten bytes; what is sent at once may go over it.
  static constexpr size_t kQueuedBytesMax = size_t{1} << 20U;
  // As many are written without waiting for the end of the turn.
  static constexpr size_t kWriteBytes = size_t{64} << 10U;

  struct Callbacks {
    std::function<void()> on_drained;                    // the queue, which was not empty, now is
    std::function<void(const Error& error)> on_failure;  // once; nothing is written any more
  };

  // `fd` stays the caller's.
  LineOutput(Loop& loop, int fd, Callbacks callbacks);

  // Any number of lines, each with its newline. Calls on_failure back, never on_drained; so does
  // flush().
  void send(std::string_view lines);
  // At the end of a turn.
  void flush();

  bool is_empty() const { return written_ == queue_.size(); }
  bool is_full() const { return queued_bytes() > kQueuedBytesMax; }
  size_t queued_bytes() const { return queue_.size() - written_; }

 private:
  void write_queue();
  void wait_until_writable();
  void on_writable();
  void fail(int system_error);

  Loop& loop_;
  const int fd_;
  const Callbacks callbacks_;
  std::string queue_;
  size_t written_ = 0;  // of the queue
  bool is_waiting_ = false;
  bool has_failed_ = false;
  OwnedHandle<uv_poll_t> writable_;  // made when first needed: it makes the descriptor non-blocking
};

}  // namespace sluice
