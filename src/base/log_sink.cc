#include "sluice/base/log_sink.h"

#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace sluice {
namespace {

constexpr int kLookIntervalMs = 50;

int64_t now_ns() {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool is_file(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

void LogSink::write(std::string_view text) {
  {
    const std::scoped_lock lock(mutex_);
    is_writing_ = true;
  }
  int error = 0;
  while (!text.empty() && error == 0) error = write_some(text);
  {
    const std::scoped_lock lock(mutex_);
    is_writing_ = false;
    if (replacement_) fd_ = std::move(replacement_);
    is_replaced_ = false;
  }
  if (text.empty()) return;
  lost_lines_ += static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
  last_error_ = error;
}

// Descriptors that others gave us may block. Where poll(2) says there is room, PIPE_BUF bytes are
// taken at once (pipe(7)), so none of these writes does.
int LogSink::write_some(std::string_view& text) {
  const bool may_wait = !is_file(fd_.get());
  if (may_wait) {
    if (const int error = wait_for_room(); error != 0) return error;
  }
  const size_t wanted = may_wait ? std::min<size_t>(text.size(), PIPE_BUF) : text.size();
  const ssize_t written = ::write(fd_.get(), text.data(), wanted);
  if (written < 0) {
    const bool is_transient = errno == EINTR || errno == EAGAIN;
    return is_transient && !gives_up() ? 0 : errno;
  }
  text.remove_prefix(static_cast<size_t>(written));
  return 0;
}

int LogSink::wait_for_room() const {
  while (true) {
    pollfd writable{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, kLookIntervalMs) != 0) return 0;  // an error shows in the write
    if (gives_up()) return ETIMEDOUT;
  }
}

bool LogSink::gives_up() const { return is_replaced_ || now_ns() >= gives_up_at_ns_; }

// The old descriptor is closed at once, unless a write is using it.
void LogSink::replace(UniqueFd fd) {
  const std::scoped_lock lock(mutex_);
  if (is_writing_) {
    replacement_ = std::move(fd);
    is_replaced_ = true;
  } else {
    fd_ = std::move(fd);
  }
}

void LogSink::hurry() {
  gives_up_at_ns_ = now_ns() + std::chrono::nanoseconds(kHurriedWaitMax).count();
}

LogLoss LogSink::loss() const { return {.lines = lost_lines_, .error = last_error_}; }

}  // namespace sluice
