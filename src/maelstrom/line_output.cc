#include "maelstrom/line_output.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace sluice {

LineOutput::LineOutput(Loop& loop, int fd, Callbacks callbacks)
    : loop_(loop), fd_(fd), callbacks_(std::move(callbacks)) {}

void LineOutput::send(std::string_view lines) {
  if (has_failed_) return;
  queue_ += lines;
  if (queued_bytes() >= kWriteBytes) flush();
}

void LineOutput::flush() {
  if (!has_failed_ && !is_waiting_) write_queue();
}

void LineOutput::write_queue() {
  while (!is_empty()) {
    pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, 0) == 0) return wait_until_writable();
    // A pipe that is writable takes that many bytes without blocking (pipe(7)), so it need not be
    // made non-blocking for everybody who shares it.
    const size_t length = std::min<size_t>(queue_.size() - written_, PIPE_BUF);
    const ssize_t count = ::write(fd_, queue_.data() + written_, length);
    if (count >= 0) {
      written_ += static_cast<size_t>(count);
    } else if (errno == EAGAIN) {
      return wait_until_writable();
    } else if (errno != EINTR) {
      return fail(errno);
    }
  }
  queue_.clear();
  written_ = 0;
}

void LineOutput::wait_until_writable() {
  queue_.erase(0, std::exchange(written_, 0));
  if (std::exchange(is_waiting_, true)) return;
  if (!writable_) {
    writable_ = make_handle<uv_poll_t>(this);
    if (const int status = uv_poll_init(loop_.raw(), writable_.get(), fd_); status != 0) {
      return fail(-status);
    }
  }
  uv_poll_start(writable_.get(), UV_WRITABLE, [](uv_poll_t* poll, int, int) {
    static_cast<LineOutput*>(poll->data)->on_writable();
  });
}

void LineOutput::on_writable() {
  write_queue();
  if (has_failed_ || !is_empty()) return;
  uv_poll_stop(writable_.get());
  is_waiting_ = false;
  callbacks_.on_drained();
}

void LineOutput::fail(int system_error) {
  has_failed_ = true;
  if (writable_ && writable_->loop != nullptr) uv_poll_stop(writable_.get());
  const Error error{fmt::format("cannot write the output: {}", uv_strerror(-system_error)),
                    system_error};
  callbacks_.on_failure(error);
}

}  // namespace sluice
