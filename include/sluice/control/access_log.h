// The access log: a line per finished session, written by a thread of its own from batches that the
// workers hand over, so that no session waits for a disk. When the queue is full whole batches are
// dropped and counted. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sluice/base/log_level.h"
#include "sluice/base/log_sink.h"
#include "sluice/base/unique_fd.h"
#include "sluice/proxy/session_record.h"

namespace sluice {

// One line without its newline. Fields and their order are the contract's.
std::string format_access_line(const SessionRecord& record, std::string_view time,
                               LogFormat format);

class AccessLog {
 public:
  static constexpr size_t kQueuedRecordsMax = 65536;

  AccessLog(UniqueFd sink, LogFormat format);
  ~AccessLog() { end(); }
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  void submit(std::vector<SessionRecord> records);
  // From now on writes to `sink` (log rotation).
  void reopen(UniqueFd sink) { sink_.replace(std::move(sink)); }
  // Writes what is queued, as far as LogSink::hurry() lets it, and ends the thread.
  void end();
  LogLoss loss();

 private:
  void run();
  void write_batch(const std::vector<SessionRecord>& records);

  const LogFormat format_;
  std::mutex mutex_;  // of everything down to the sink
  std::condition_variable has_work_;
  std::vector<SessionRecord> queue_;
  bool is_ending_ = false;
  uint64_t dropped_ = 0;

  LogSink sink_;
  std::thread thread_;
};

}  // namespace sluice
