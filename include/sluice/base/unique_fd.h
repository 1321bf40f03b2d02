// An owned file descriptor: move only, closed when it goes.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace sluice {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }

  // Linux frees the descriptor even when close() says EINTR, so there is nothing to retry.
  void reset() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

// Closes both. Neighbours, as a socket accepted and one made right after often
// are, cost one system call together (close_range(2)).
inline void close_both(UniqueFd& one, UniqueFd& other) {
  const int low = std::min(one.get(), other.get());
  const int high = std::max(one.get(), other.get());
  if (low >= 0 && high == low + 1 &&
      ::close_range(static_cast<unsigned>(low), static_cast<unsigned>(high), 0) == 0) {
    one.release();
    other.release();
    return;
  }
  one.reset();
  other.reset();
}

}  // namespace sluice
