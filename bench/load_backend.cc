#include "load_backend.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <string>
#include <utility>

#include "load_block.h"

namespace sluice::bench {
namespace {

constexpr int kBacklog = 4096;
constexpr int kAcceptsPerTurnMax = 64;

class Connection : public Target {
 public:
  Connection(Loop& loop, Stats& stats, int fd) : loop_(loop), stats_(stats), fd_(fd) {}
  ~Connection() override {
    if (fd_ >= 0) ::close(fd_);
  }

 protected:
  Loop& loop_;
  Stats& stats_;
  int fd_;
};

class Sink final : public Connection {
 public:
  using Connection::Connection;

  void on_ready(uint32_t) override {
    const ssize_t bytes = ::recv(fd_, block.data(), block.size(), 0);
    if (bytes > 0) {
      stats_.add_bytes(static_cast<uint64_t>(bytes));
    } else if (bytes == 0 || errno != EAGAIN) {
      delete this;
    }
  }
};

class Source final : public Connection {
 public:
  using Connection::Connection;

  void on_ready(uint32_t) override {
    const ssize_t bytes = ::send(fd_, block.data(), block.size(), MSG_NOSIGNAL);
    if (bytes > 0) {
      stats_.add_bytes(static_cast<uint64_t>(bytes));
    } else if (errno != EAGAIN) {
      delete this;
    }
  }
};

class Both final : public Connection {
 public:
  using Connection::Connection;

  void on_ready(uint32_t events) override {
    if ((events & ~EPOLLOUT) != 0 && !receive()) return;
    if ((events & EPOLLOUT) != 0) send();
  }

 private:
  // False when the connection is gone, and this object with it.
  bool receive() {
    const ssize_t bytes = ::recv(fd_, block.data(), block.size(), 0);
    if (bytes == 0 || (bytes < 0 && errno != EAGAIN)) {
      delete this;
      return false;
    }
    if (bytes > 0) stats_.add_bytes(static_cast<uint64_t>(bytes));
    return true;
  }

  void send() {
    const ssize_t bytes = ::send(fd_, block.data(), block.size(), MSG_NOSIGNAL);
    if (bytes < 0 && errno != EAGAIN) delete this;
  }
};

// Echo and reply: reads what there is, answers, and keeps what the socket did not take.
class Responder final : public Connection {
 public:
  Responder(Loop& loop, Stats& stats, int fd, BackendMode mode, size_t bytes)
      : Connection(loop, stats, fd), mode_(mode), bytes_(bytes) {}

  void on_ready(uint32_t events) override {
    if (!pending_.empty() && !flush(events)) return;
    const ssize_t bytes = ::recv(fd_, block.data(), block.size(), 0);
    if (bytes <= 0) {
      if (bytes == 0 || errno != EAGAIN) delete this;
      return;
    }
    stats_.add_bytes(static_cast<uint64_t>(bytes));
    answer(static_cast<size_t>(bytes));
  }

 private:
  void answer(size_t received) {
    size_t to_send = received;
    if (mode_ == BackendMode::reply) {
      received_ += received;
      to_send = received_ / bytes_ * bytes_;
      received_ %= bytes_;
    }
    while (to_send > 0 && pending_.empty()) {
      const size_t part = std::min(to_send, block.size());
      to_send -= part;
      send_or_keep({block.data(), part});
    }
    pending_.append(to_send, '\0');
  }

  void send_or_keep(std::span<const char> data) {
    const ssize_t sent = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
    const size_t taken = sent > 0 ? static_cast<size_t>(sent) : 0;
    if (taken == data.size()) return;
    pending_.assign(data.begin() + static_cast<std::ptrdiff_t>(taken), data.end());
    loop_.modify(fd_, EPOLLOUT, *this);
  }

  // True when nothing is pending any more. Deletes the connection when it broke.
  bool flush(uint32_t events) {
    const ssize_t sent = ::send(fd_, pending_.data(), pending_.size(), MSG_NOSIGNAL);
    if (sent < 0 && (errno != EAGAIN || (events & EPOLLERR) != 0)) {
      delete this;
      return false;
    }
    if (sent > 0) pending_.erase(0, static_cast<size_t>(sent));
    if (!pending_.empty()) return false;
    loop_.modify(fd_, EPOLLIN, *this);
    return true;
  }

  const BackendMode mode_;
  const size_t bytes_;
  size_t received_ = 0;
  std::string pending_;
};

// Of a `mixed` backend, until its client has said what it wants.
class Undecided final : public Connection {
 public:
  Undecided(Loop& loop, Stats& stats, int fd, size_t bytes)
      : Connection(loop, stats, fd), bytes_(bytes) {}

  void on_ready(uint32_t) override {
    char first = 0;
    const ssize_t count = ::recv(fd_, &first, 1, MSG_PEEK);
    if (count < 0 && errno == EAGAIN) return;
    if (count == 1) hand_over(first);
    delete this;
  }

 private:
  void hand_over(char first) {
    const int fd = std::exchange(fd_, -1);
    if (first == kAskForBulk) {
      // Taken: what stays unread would turn the close into a reset.
      if (::recv(fd, &first, 1, 0) != 1) fail("cannot read what was there", errno);
      loop_.modify(fd, EPOLLOUT, *new Source(loop_, stats_, fd));
    } else {
      loop_.modify(fd, EPOLLIN, *new Responder(loop_, stats_, fd, BackendMode::reply, bytes_));
    }
  }

  const size_t bytes_;
};

uint32_t interest_of(BackendMode mode) {
  switch (mode) {
    case BackendMode::source:
      return EPOLLOUT;
    case BackendMode::both:
      return EPOLLIN | EPOLLOUT;
    case BackendMode::echo:
    case BackendMode::reply:
    case BackendMode::sink:
    case BackendMode::mixed:
      return EPOLLIN;
  }
  return 0;
}

Connection* make_connection(Loop& loop, Stats& stats, int fd, BackendMode mode, size_t bytes) {
  switch (mode) {
    case BackendMode::echo:
    case BackendMode::reply:
      return new Responder(loop, stats, fd, mode, bytes);
    case BackendMode::source:
      return new Source(loop, stats, fd);
    case BackendMode::sink:
      return new Sink(loop, stats, fd);
    case BackendMode::both:
      return new Both(loop, stats, fd);
    case BackendMode::mixed:
      return new Undecided(loop, stats, fd, bytes);
  }
  return nullptr;
}

}  // namespace

Backend::Backend(Loop& loop, Stats& stats, BackendMode mode, size_t bytes, uint16_t port,
                 Reach reach)
    : loop_(loop), stats_(stats), mode_(mode), bytes_(bytes) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(reach == Reach::every_address ? INADDR_ANY : INADDR_LOOPBACK);
  const auto* const generic = reinterpret_cast<const sockaddr*>(&address);
  // Accepted sockets inherit it.
  const int yes = 1;
  ::setsockopt(listener_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(listener_, generic, sizeof address) != 0 || ::listen(listener_, kBacklog) != 0) {
    fail("cannot listen", errno);
  }
  loop_.add(listener_, EPOLLIN, *this);
}

Backend::~Backend() { ::close(listener_); }

void Backend::on_ready(uint32_t) {
  for (int i = 0; i < kAcceptsPerTurnMax; ++i) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno != EAGAIN && errno != ECONNABORTED) fail("cannot accept", errno);
      return;
    }
    // The connection owns itself: it lives until its peer ends it.
    Connection* const connection = make_connection(loop_, stats_, fd, mode_, bytes_);
    loop_.add(fd, interest_of(mode_), *connection);
  }
}

}  // namespace sluice::bench
