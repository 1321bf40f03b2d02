#include "sluice/base/file_sink.h"

#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sluice {
namespace {

bool is_file(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

void FileSink::write(std::string_view text, LogLevel /*level*/) {
  {
    const std::scoped_lock lock(mutex_);
    is_writing_ = true;
  }
  std::string_view rest = text;
  int error = end_torn_line();
  while (!rest.empty() && error == 0) error = write_some(rest);
  if (rest.size() < text.size()) is_torn_ = text[text.size() - rest.size() - 1] != '\n';
  {
    const std::scoped_lock lock(mutex_);
    is_writing_ = false;
    if (replacement_) {
      fd_ = std::move(replacement_);
      is_torn_ = false;
    }
    is_replaced_ = false;
  }
  if (rest.empty()) return;
  lose(static_cast<uint64_t>(std::count(rest.begin(), rest.end(), '\n')), error);
}

// So that a line which the disk took in part only does not swallow the next one too.
int FileSink::end_torn_line() {
  std::string_view newline = is_torn_ ? "\n" : "";
  int error = 0;
  while (!newline.empty() && error == 0) error = write_some(newline);
  is_torn_ = !newline.empty();
  return error;
}

// Descriptors that others gave us may block. Where poll(2) says there is room, PIPE_BUF bytes are
// taken at once (pipe(7)), so none of these writes does.
int FileSink::write_some(std::string_view& text) {
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

int FileSink::wait_for_room() const {
  while (true) {
    pollfd writable{.fd = fd_.get(), .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, kLookIntervalMs) != 0) return 0;  // an error shows in the write
    if (gives_up()) return ETIMEDOUT;
  }
}

bool FileSink::gives_up() const { return is_replaced_ || is_overdue(); }

// The old descriptor is closed at once, unless a write is using it.
void FileSink::replace(UniqueFd fd) {
  const std::scoped_lock lock(mutex_);
  if (is_writing_) {
    replacement_ = std::move(fd);
    is_replaced_ = true;
  } else {
    fd_ = std::move(fd);
    is_torn_ = false;
  }
}

}  // namespace sluice
