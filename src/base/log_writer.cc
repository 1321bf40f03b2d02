#include "sluice/base/log_writer.h"

#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <string>

namespace sluice {

class LogWriter::Sink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit Sink(UniqueFd fd) : fd_(std::move(fd)) {}

  void reopen(UniqueFd fd) {
    const std::scoped_lock lock(mutex_);
    fd_ = std::move(fd);
  }

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
    write_all({line.data(), line.size()});
  }

  void flush_() override {
    const std::scoped_lock lock(flush_mutex_);
    ++flushes_;
    flushed_.notify_all();
  }

 private:
  // A sink that fails (disk full, reader gone) loses the line: there is nowhere left to say so.
  void write_all(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(fd_.get(), text.data(), text.size());
      if (written >= 0) {
        text.remove_prefix(static_cast<size_t>(written));
      } else if (errno == EAGAIN) {
        pollfd writable{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
        ::poll(&writable, 1, -1);
      } else if (errno != EINTR) {
        return;
      }
    }
  }

  UniqueFd fd_;
  std::mutex flush_mutex_;
  std::condition_variable flushed_;
  uint64_t flushes_ = 0;
};

struct LogWriter::Queue {
  std::shared_ptr<spdlog::details::thread_pool> thread;
  std::shared_ptr<spdlog::async_logger> logger;
};

LogWriter::LogWriter(UniqueFd sink)
    : sink_(std::make_shared<Sink>(std::move(sink))), queue_(std::make_unique<Queue>()) {
  queue_->thread = std::make_shared<spdlog::details::thread_pool>(kQueuedLinesMax, 1);
  queue_->logger = std::make_shared<spdlog::async_logger>(
      "log", sink_, queue_->thread, spdlog::async_overflow_policy::overrun_oldest);
  queue_->logger->set_level(spdlog::level::trace);
}

LogWriter::~LogWriter() = default;

void LogWriter::write(std::string_view line) {
  queue_->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

void LogWriter::reopen(UniqueFd sink) { sink_->reopen(std::move(sink)); }

void LogWriter::flush() {
  const uint64_t seen = sink_->flushes();
  queue_->logger->flush();
  sink_->wait_for_flush_after(seen);
}

uint64_t LogWriter::dropped() const { return queue_->thread->overrun_counter(); }

}  // namespace sluice
