// A descriptor that finished lines are written to, by one thread at a time. It waits for a slow
// reader as long as that takes, but not for ever once it was told to hurry: a log that hangs must
// not keep the process from ending.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "sluice/base/time.h"
#include "sluice/base/unique_fd.h"

namespace sluice {

// What a log has lost so far.
struct LogLoss {
  uint64_t lines = 0;
  int error = 0;  // errno of the last write that lost some; 0: none did, the queue was full
};

class LogSink {
 public:
  static constexpr Duration kHurriedWaitMax = std::chrono::seconds(1);

  explicit LogSink(UniqueFd fd) : fd_(std::move(fd)) {}

  // Writes `text`, whole lines with their newlines. What could not be written (disk full, reader
  // gone, replaced or hurried while it waited) is lost, and counted as such.
  void write(std::string_view text);

  // Any thread: from the next write on, lines go to `fd`. A write that waits for the old reader
  // gives up.
  void replace(UniqueFd fd);
  // Any thread: from now on all waiting together takes kHurriedWaitMax at most.
  void hurry();
  LogLoss loss() const;

 private:
  int write_some(std::string_view& text);
  int wait_for_room() const;
  bool gives_up() const;

  UniqueFd fd_;  // the writing thread's while it writes, else under the mutex
  std::mutex mutex_;
  bool is_writing_ = false;  // under the mutex
  UniqueFd replacement_;     // under the mutex
  std::atomic<bool> is_replaced_{false};
  std::atomic<int64_t> gives_up_at_ns_{INT64_MAX};  // steady clock
  std::atomic<uint64_t> lost_lines_{0};
  std::atomic<int> last_error_{0};
};

}  // namespace sluice
