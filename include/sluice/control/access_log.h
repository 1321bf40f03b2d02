// The access log: a line per finished session, written by a thread of its own from batches that the
// workers hand over, so that no session waits for a disk. When the queue is full whole batches are
// dropped and counted. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sluice/base/log_level.h"
#include "sluice/base/log_sink.h"
#include "sluice/base/unique_fd.h"
#include "sluice/config/access_log_format.h"
#include "sluice/proxy/session_record.h"

namespace sluice {

class AccessLog {
 public:
  static constexpr size_t kQueuedRecordsMax = 65536;

  struct Options {
    AccessLogFormat format;
    LogLevel severity = LogLevel::info;  // where the sink knows such a thing
  };

  AccessLog(std::unique_ptr<LogSink> sink, Options options);
  ~AccessLog() { end(); }
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  void submit(std::vector<SessionRecord> records);
  // From now on writes to `fd` (log rotation).
  void reopen(UniqueFd fd) { sink_->replace(std::move(fd)); }
  // Writes what is queued, as far as LogSink::hurry() lets it, and ends the thread.
  void end();
  LogLoss loss();

 private:
  void run();
  void write_batch(const std::vector<SessionRecord>& records);

  const Options options_;
  std::mutex mutex_;  // of everything down to the sink
  std::condition_variable has_work_;
  std::vector<SessionRecord> queue_;
  bool is_ending_ = false;
  uint64_t dropped_ = 0;

  const std::unique_ptr<LogSink> sink_;
  std::thread thread_;
};

}  // namespace sluice
