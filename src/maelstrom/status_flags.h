// Puts a descriptor's status flags back when it goes. libuv makes what it watches non-blocking, and
// the flag belongs to the pipe or terminal, which outlives this process and has other users.
#pragma once

#include <fcntl.h>

namespace sluice {

class StatusFlags {
 public:
  explicit StatusFlags(int fd) : fd_(fd), flags_(::fcntl(fd, F_GETFL)) {}
  ~StatusFlags() {
    if (flags_ >= 0) ::fcntl(fd_, F_SETFL, flags_);
  }
  StatusFlags(const StatusFlags&) = delete;
  StatusFlags& operator=(const StatusFlags&) = delete;

 private:
  const int fd_;
  const int flags_;
};

}  // namespace sluice
