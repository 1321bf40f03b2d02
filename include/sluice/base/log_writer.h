// A queue of finished lines and the thread that writes them to a sink (spdlog's asynchronous logger
// underneath), so that whoever logs waits for no disk and no terminal. When the queue is full the
// oldest line goes and is counted. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "sluice/base/log_sink.h"
#include "sluice/base/unique_fd.h"

namespace sluice {

class LogWriter {
 public:
  static constexpr size_t kQueuedLinesMax = 8192;

  explicit LogWriter(std::unique_ptr<LogSink> sink);
  // Writes to `sink`, a descriptor opened for appending.
  explicit LogWriter(UniqueFd sink);
  ~LogWriter();  // after writing what is queued, as far as LogSink::hurry() lets it
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // Queues one line, given without its newline. A text of several lines counts as one.
  void write(LogLevel level, std::string_view line);

  // From now on writes to `sink` (log rotation); lines already queued may go to either.
  void reopen(UniqueFd sink);

  // Waits, at most a second, until everything queued so far is written.
  void flush();

  LogLoss loss() const;

 private:
  class Writing;
  struct Queue;
  std::shared_ptr<Writing> writing_;
  std::unique_ptr<Queue> queue_;
};

}  // namespace sluice
