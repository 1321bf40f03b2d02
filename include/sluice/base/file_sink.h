// A descriptor that the finished lines of a log are written to: a file, a pipe, a terminal, a
// stream socket.
#pragma once

#include <atomic>
#include <mutex>
#include <string_view>

#include "sluice/base/log_sink.h"
#include "sluice/base/unique_fd.h"

namespace sluice {

class FileSink : public LogSink {
 public:
  // `fd` is opened for appending.
  explicit FileSink(UniqueFd fd) : fd_(std::move(fd)) {}

  void write(std::string_view text, LogLevel level) override;
  // A write that waits for the old reader gives up.
  void replace(UniqueFd fd) override;

 private:
  int end_torn_line();
  int write_some(std::string_view& text);
  int wait_for_room() const;
  bool gives_up() const;

  UniqueFd fd_;           // the writing thread's while it writes, else under the mutex
  bool is_torn_ = false;  // likewise; the last line is there in part
  std::mutex mutex_;
  bool is_writing_ = false;  // under the mutex
  UniqueFd replacement_;     // under the mutex
  std::atomic<bool> is_replaced_{false};
};

}  // namespace sluice
