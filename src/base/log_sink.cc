#include "sluice/base/log_sink.h"

#include <chrono>

namespace sluice {
namespace {

int64_t now_ns() {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void LogSink::hurry() {
  gives_up_at_ns_ = now_ns() + std::chrono::nanoseconds(kHurriedWaitMax).count();
}

LogLoss LogSink::loss() const { return {.lines = lost_lines_, .error = last_error_}; }

bool LogSink::is_overdue() const { return now_ns() >= gives_up_at_ns_; }

void LogSink::lose(uint64_t lines, int error) {
  lost_lines_ += lines;
  last_error_ = error;
}

}  // namespace sluice
