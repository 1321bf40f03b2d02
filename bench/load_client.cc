#include "load_client.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace sluice::bench {
namespace {

constexpr size_t kBlockBytes = 256 * 1024;
// Opened at a time at the start, so that a proxy's backlog need not hold thousands.
constexpr size_t kOpeningMax = 256;

std::array<char, kBlockBytes> block{};

}  // namespace

class Client : public Target {
 public:
  explicit Client(Clients& all) : all_(all) {}
  ~Client() override { close(); }

  void open() {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) fail("cannot make a socket", errno);
    const int yes = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const sockaddr_in& target = all_.options().target;
    const auto* const generic = reinterpret_cast<const sockaddr*>(&target);
    if (::connect(fd_, generic, sizeof target) != 0 && errno != EINPROGRESS) {
      fail("cannot connect", errno);
    }
    all_.loop().add(fd_, interest(), *this);
  }

  virtual void begin() { open(); }

 protected:
  virtual uint32_t interest() const = 0;

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  void note_work() {
    if (!std::exchange(has_worked_, true)) all_.note_first_work();
  }

  // What a read or write that moved nothing means: wait, or the end of this measurement.
  static void expect_would_block(ssize_t result) {
    if (result == 0) fail("the proxy closed a connection", 0);
    if (errno != EAGAIN) fail("a connection failed", errno);
  }

  Clients& all_;
  int fd_ = -1;

 private:
  bool has_worked_ = false;
};

namespace {

class Receiver final : public Client {
 public:
  using Client::Client;

  void on_ready(uint32_t) override {
    const ssize_t bytes = ::recv(fd_, block.data(), block.size(), 0);
    if (bytes <= 0) return expect_would_block(bytes);
    all_.stats().add_bytes(static_cast<uint64_t>(bytes));
    note_work();
  }

 private:
  uint32_t interest() const override { return EPOLLIN; }
};

class Sender final : public Client {
 public:
  using Client::Client;

  void on_ready(uint32_t) override {
    const ssize_t bytes = ::send(fd_, block.data(), block.size(), MSG_NOSIGNAL);
    if (bytes <= 0) return expect_would_block(bytes);
    all_.stats().add_bytes(static_cast<uint64_t>(bytes));
    note_work();
  }

 private:
  uint32_t interest() const override { return EPOLLOUT; }
};

// Requests and replies. Edge-triggered, so one epoll_ctl serves a connection's whole life.
class Requester final : public Client {
 public:
  using Client::Client;

  void begin() override {
    if (!all_.begin_unit()) return;
    began_at_ns_ = now_ns();
    to_send_ = to_receive_ = all_.options().bytes;
    if (fd_ < 0) {
      open();
    } else {
      send_request();
    }
  }

  void on_ready(uint32_t events) override {
    if ((events & EPOLLOUT) != 0 && to_send_ > 0) send_request();
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0) return;
    if (to_receive_ > 0) {
      receive_reply();
    } else {
      expect_would_block(::recv(fd_, block.data(), 1, MSG_PEEK));
    }
  }

 private:
  uint32_t interest() const override { return EPOLLIN | EPOLLOUT | EPOLLET; }

  void send_request() {
    while (to_send_ > 0) {
      const ssize_t bytes =
          ::send(fd_, block.data(), std::min(to_send_, block.size()), MSG_NOSIGNAL);
      if (bytes <= 0) return expect_would_block(bytes);
      to_send_ -= static_cast<size_t>(bytes);
    }
  }

  void receive_reply() {
    while (to_receive_ > 0) {
      const size_t wanted = std::min(to_receive_, block.size());
      const ssize_t bytes = ::recv(fd_, block.data(), wanted, 0);
      if (bytes <= 0) return expect_would_block(bytes);
      all_.stats().add_bytes(static_cast<uint64_t>(bytes));
      to_receive_ -= static_cast<size_t>(bytes);
      // A short read: what comes next is a new edge.
      if (to_receive_ > 0 && static_cast<size_t>(bytes) < wanted) return;
    }
    end_unit();
  }

  void end_unit() {
    const ClientMode mode = all_.options().mode;
    if (mode == ClientMode::reconnect) close();
    all_.end_unit(now_ns() - began_at_ns_);
    note_work();
    if (mode != ClientMode::idle) begin();
  }

  uint64_t began_at_ns_ = 0;
  size_t to_send_ = 0;
  size_t to_receive_ = 0;
};

std::unique_ptr<Client> make_client(Clients& all) {
  switch (all.options().mode) {
    case ClientMode::receive:
      return std::make_unique<Receiver>(all);
    case ClientMode::send:
      return std::make_unique<Sender>(all);
    case ClientMode::ping_pong:
    case ClientMode::reconnect:
    case ClientMode::idle:
      return std::make_unique<Requester>(all);
  }
  return nullptr;
}

}  // namespace

Clients::Clients(Loop& loop, Stats& stats, const ClientOptions& options)
    : loop_(loop), stats_(stats), options_(options) {
  open_more();
}

Clients::~Clients() = default;

void Clients::open_more() {
  const size_t open_max = std::min(options_.connections, working_ + kOpeningMax);
  while (clients_.size() < open_max) {
    clients_.push_back(make_client(*this));
    clients_.back()->begin();
  }
}

void Clients::note_first_work() {
  ++working_;
  if (working_ == options_.connections) {
    say("ready");
  } else {
    open_more();
  }
}

bool Clients::begin_unit() {
  if (options_.units_max && begun_ >= *options_.units_max) return false;
  ++begun_;
  return true;
}

void Clients::end_unit(uint64_t took_ns) {
  stats_.add_unit(took_ns);
  ++ended_;
  if (options_.units_max && ended_ == *options_.units_max) loop_.stop();
}

}  // namespace sluice::bench
