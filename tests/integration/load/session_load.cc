// Sessions on a schedule, and a server for them, fast enough to leave most of a core to others:
//
//   session-load backend
//       prints the port it listens on, then echoes
//   session-load clients --port P --rate N --at-a-time N
//       N sessions a second, whatever became of those before: connect, 64 bytes, the same 64 back,
//       close. A session that finds --at-a-time others under way waits, and its waiting counts.
//       A session that fails is counted, not fatal. At the end of stdin it prints how many did, one
//       line of JSON; those under way are not counted.
//
// Both obey `mark` and `report` on stdin, see bench/load_loop.h.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "load_loop.h"
#include "load_schedule.h"
#include "load_stats.h"

namespace sluice::bench {
namespace {

constexpr size_t kBytes = 64;
constexpr int kAcceptsPerTurnMax = 64;
constexpr int kBacklog = 4096;

void set_nodelay(int fd) {
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// One connection of the server; it owns itself.
class Echo final : public Target {
 public:
  explicit Echo(int fd) : fd_(fd) {}
  ~Echo() override { ::close(fd_); }

  void on_ready(uint32_t) override {
    std::array<char, 4096> bytes;
    const ssize_t count = ::recv(fd_, bytes.data(), bytes.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    // So few bytes always fit.
    const bool goes_on =
        count > 0 && ::send(fd_, bytes.data(), static_cast<size_t>(count), MSG_NOSIGNAL) == count;
    if (!goes_on) delete this;
  }

 private:
  const int fd_;
};

class Server final : public Target {
 public:
  explicit Server(Loop& loop)
      : loop_(loop), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    set_nodelay(listener_);  // which what it accepts inherits
    const bool listens = ::bind(listener_, generic, size) == 0 &&
                         ::listen(listener_, kBacklog) == 0 &&
                         ::getsockname(listener_, generic, &size) == 0;
    if (!listens) fail("cannot listen", errno);
    loop_.add(listener_, EPOLLIN, *this);
    say(fmt::format("{}", ntohs(address.sin_port)));
  }
  ~Server() override { ::close(listener_); }

  void on_ready(uint32_t) override {
    for (int i = 0; i < kAcceptsPerTurnMax; ++i) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      loop_.add(fd, EPOLLIN, *new Echo(fd));
    }
  }

 private:
  Loop& loop_;
  const int listener_;
};

// Of all sessions so far.
struct Tally {
  uint64_t sessions = 0;
  uint64_t failed = 0;
  std::string first_failure;

  std::string report() const {
    return fmt::format(R"({{"sessions":{},"failed":{},"first_failure":"{}"}})", sessions, failed,
                       first_failure);
  }
};

// A place for one session at a time.
class Session final : public Target, public Scheduled {
 public:
  Session(Loop& loop, Stats& stats, Schedule& schedule, Tally& tally, const sockaddr_in& server)
      : loop_(loop), stats_(stats), schedule_(schedule), tally_(tally), server_(server) {}
  ~Session() override {
    if (fd_ >= 0) ::close(fd_);
  }

  void send_request_due_at(uint64_t due_ns) override {
    due_ns_ = due_ns;
    sent_ = false;
    received_ = 0;
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) fail("cannot make a socket", errno);
    set_nodelay(fd_);
    const auto* const generic = reinterpret_cast<const sockaddr*>(&server_);
    if (::connect(fd_, generic, sizeof server_) != 0 && errno != EINPROGRESS) {
      end("connect", errno);
      return;
    }
    loop_.add(fd_, EPOLLIN | EPOLLOUT | EPOLLET, *this);
  }

  void on_ready(uint32_t events) override {
    if (fd_ < 0) return;  // an event of the same turn as its end
    if (!sent_ && (events & (EPOLLOUT | EPOLLERR)) != 0 && !send()) return;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive();
  }

 private:
  // False when the session is over.
  bool send() {
    const ssize_t bytes = ::send(fd_, request_.data(), request_.size(), MSG_NOSIGNAL);
    if (bytes < 0 && errno == EAGAIN) return true;
    sent_ = bytes == static_cast<ssize_t>(request_.size());
    if (!sent_) end("send", errno);
    return sent_;
  }

  void receive() {
    std::array<char, kBytes> reply;
    while (received_ < kBytes) {
      const ssize_t bytes = ::recv(fd_, reply.data(), kBytes - received_, 0);
      if (bytes < 0 && errno == EAGAIN) return;
      if (bytes <= 0) return end("receive", bytes == 0 ? 0 : errno);
      if (std::memcmp(reply.data(), &request_[received_], static_cast<size_t>(bytes)) != 0) {
        return end("compare", 0);
      }
      received_ += static_cast<size_t>(bytes);
    }
    end("", 0);
  }

  void end(std::string_view failure, int error) {
    ::close(fd_);
    fd_ = -1;
    stats_.add_unit(now_ns() - due_ns_);
    ++tally_.sessions;
    if (!failure.empty()) {
      ++tally_.failed;
      if (tally_.first_failure.empty()) {
        tally_.first_failure =
            fmt::format("{}: {}", failure, error == 0 ? "ended" : std::strerror(error));
      }
    }
    schedule_.take(*this);
  }

  Loop& loop_;
  Stats& stats_;
  Schedule& schedule_;
  Tally& tally_;
  const sockaddr_in server_;
  const std::array<char, kBytes> request_ = [] {
    std::array<char, kBytes> bytes{};
    for (size_t i = 0; i < kBytes; ++i) bytes[i] = static_cast<char>('0' + i);
    return bytes;
  }();
  int fd_ = -1;
  uint64_t due_ns_ = 0;
  bool sent_ = false;
  size_t received_ = 0;
};

uint64_t option(std::span<char*> arguments, std::string_view name) {
  for (size_t i = 0; i + 1 < arguments.size(); ++i) {
    const std::string_view text = arguments[i + 1];
    uint64_t value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (name == arguments[i] && error == std::errc{} && value > 0) return value;
  }
  fail(fmt::format("needs a number for {}", name), 0);
}

// 5,000 sessions a second that are stuck for a moment are many descriptors.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void run_clients(Loop& loop, Stats& stats, std::span<char*> arguments) {
  const sockaddr_in server = loopback(static_cast<uint16_t>(option(arguments, "--port")));
  Schedule schedule(loop, option(arguments, "--rate"));
  Tally tally;
  std::vector<std::unique_ptr<Session>> sessions(option(arguments, "--at-a-time"));
  for (auto& session : sessions) {
    session = std::make_unique<Session>(loop, stats, schedule, tally, server);
    schedule.take(*session);
  }
  schedule.start();
  loop.run();
  say(tally.report());
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  using namespace sluice::bench;
  const std::span<char*> arguments(argv, static_cast<size_t>(argc));
  if (arguments.size() < 2) fail("say backend or clients", 0);
  raise_descriptor_limit();
  Stats stats;
  Loop loop(stats);
  if (std::string_view(arguments[1]) == "clients") {
    run_clients(loop, stats, arguments);
  } else {
    const Server server(loop);
    loop.run();
  }
}
