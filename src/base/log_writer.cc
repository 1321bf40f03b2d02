#include "sluice/base/log_writer.h"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <condition_variable>
#include <mutex>
#include <string>

#include "sluice/base/file_sink.h"
#include "sluice/base/thread_name.h"

namespace sluice {
namespace {

// Only to carry ours through the queue and back.
spdlog::level::level_enum to_spdlog(LogLevel level) {
  return static_cast<spdlog::level::level_enum>(static_cast<int>(level) + spdlog::level::debug);
}

LogLevel from_spdlog(spdlog::level::level_enum level) {
  return static_cast<LogLevel>(level - spdlog::level::debug);
}

}  // namespace

// The writing thread's end of the queue.
class LogWriter::Writing : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit Writing(std::unique_ptr<LogSink> sink) : sink_(std::move(sink)) {}

  LogSink& sink() { return *sink_; }

  uint64_t flushes() {
    const std::scoped_lock lock(flush_mutex_);
    return flushes_;
  }

  void wait_for_flush_after(uint64_t seen) {
    std::unique_lock lock(flush_mutex_);
    flushed_.wait_for(lock, std::chrono::seconds(1), [this, seen] { return flushes_ > seen; });
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    line.append(message.payload);
    line.push_back('\n');
    sink_->write({line.data(), line.size()}, from_spdlog(message.level));
  }

  void flush_() override {
    const std::scoped_lock lock(flush_mutex_);
    ++flushes_;
    flushed_.notify_all();
  }

 private:
  const std::unique_ptr<LogSink> sink_;
  std::mutex flush_mutex_;
  std::condition_variable flushed_;
  uint64_t flushes_ = 0;
};

struct LogWriter::Queue {
  std::shared_ptr<spdlog::details::thread_pool> thread;
  std::shared_ptr<spdlog::async_logger> logger;
};

LogWriter::LogWriter(UniqueFd sink) : LogWriter(std::make_unique<FileSink>(std::move(sink))) {}

LogWriter::LogWriter(std::unique_ptr<LogSink> sink)
    : writing_(std::make_shared<Writing>(std::move(sink))), queue_(std::make_unique<Queue>()) {
  queue_->thread = std::make_shared<spdlog::details::thread_pool>(kQueuedLinesMax, 1,
                                                                  [] { name_this_thread("log"); });
  queue_->logger = std::make_shared<spdlog::async_logger>(
      "log", writing_, queue_->thread, spdlog::async_overflow_policy::overrun_oldest);
  queue_->logger->set_level(spdlog::level::trace);
}

LogWriter::~LogWriter() { writing_->sink().hurry(); }

void LogWriter::write(LogLevel level, std::string_view line) {
  queue_->logger->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

void LogWriter::reopen(UniqueFd sink) { writing_->sink().replace(std::move(sink)); }

void LogWriter::flush() {
  const uint64_t seen = writing_->flushes();
  queue_->logger->flush();
  writing_->wait_for_flush_after(seen);
}

LogLoss LogWriter::loss() const {
  LogLoss loss = writing_->sink().loss();
  loss.lines += queue_->thread->overrun_counter();
  return loss;
}

}  // namespace sluice
