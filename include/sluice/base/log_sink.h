// Where the finished lines of a log go: a descriptor (file_sink.h) or a syslog daemon. Written to
// by one thread at a time. It waits for a slow reader as long as that takes, but not for ever once
// it was told to hurry: a log that hangs must not keep the process from ending.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "sluice/base/log_level.h"
#include "sluice/base/time.h"
#include "sluice/base/unique_fd.h"

namespace sluice {

// What a log has lost so far.
struct LogLoss {
  uint64_t lines = 0;
  int error = 0;  // errno of the last trouble; 0: there was none, the queue was full
};

class LogSink {
 public:
  static constexpr Duration kHurriedWaitMax = std::chrono::seconds(1);

  virtual ~LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;

  // Writes `text`, whole lines with their newlines, all of one level. What could not be written
  // (disk full, reader gone, hurried while it waited) is lost, and counted as such.
  virtual void write(std::string_view text, LogLevel level) = 0;

  // Any thread: log rotation. From the next write on, lines go to `fd`, where this is a matter of
  // descriptors at all.
  virtual void replace(UniqueFd fd) = 0;
  // Any thread: from now on all waiting together takes kHurriedWaitMax at most.
  void hurry();
  // Any thread.
  LogLoss loss() const;

 protected:
  // How often whoever waits looks whether it must give up.
  static constexpr int kLookIntervalMs = 50;

  LogSink() = default;

  bool is_overdue() const;
  void lose(uint64_t lines, int error);
  // Nothing is lost yet, but it will be when this lasts.
  void note_trouble(int error) { last_error_ = error; }

 private:
  std::atomic<int64_t> gives_up_at_ns_{INT64_MAX};  // steady clock
  std::atomic<uint64_t> lost_lines_{0};
  std::atomic<int> last_error_{0};
};

}  // namespace sluice
