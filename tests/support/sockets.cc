#include "sockets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "sluice/base/random.h"
#include "sluice/base/tcp_options.h"
#include "sluice/net/socket_address.h"
#include "sluice/net/socket_options.h"

namespace sluice {
namespace {

constexpr int kTimeLimitSeconds = 20;

[[noreturn]] void give_up(const char* what) {
  throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

void set_buffers(int fd, BufferSizes sizes) {
  if (sizes.send > 0) ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sizes.send, sizeof sizes.send);
  if (sizes.receive > 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &sizes.receive, sizeof sizes.receive);
  }
}

SocketPair unix_pair(BufferSizes near, BufferSizes far) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) give_up("socketpair");
  SocketPair pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
  set_buffers(pair.near.get(), near);
  set_buffers(pair.far.get(), far);
  return pair;
}

SocketPair tcp_pair(BufferSizes near, BufferSizes far) {
  // A window is settled in the handshake: buffers come before it, on the accepting side too.
  UniqueFd listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  set_buffers(listening.get(), far);
  const SocketAddress any_port(loopback());
  if (::bind(listening.get(), any_port.data(), any_port.size()) != 0) give_up("bind");
  if (::listen(listening.get(), 1) != 0) give_up("listen");

  SocketPair pair;
  pair.near = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  set_buffers(pair.near.get(), near);
  const SocketAddress where(local_address(listening.get()));
  if (::connect(pair.near.get(), where.data(), where.size()) != 0) give_up("connect");
  pair.far = UniqueFd(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!pair.far) give_up("accept");
  for (const UniqueFd* fd : {&pair.near, &pair.far}) {
    set_connect_options(fd->get(), TcpOptions{});
    set_nodelay(fd->get());
  }
  return pair;
}

}  // namespace

SocketPair connected_pair(Transport transport, BufferSizes near, BufferSizes far) {
  SocketPair pair = transport == Transport::tcp ? tcp_pair(near, far) : unix_pair(near, far);
  set_nonblocking(pair.near.get());
  set_nonblocking(pair.far.get());
  return pair;
}

Address loopback(uint16_t port) { return Address::ipv4({127, 0, 0, 1}, port); }

Address ipv6_loopback(uint16_t port) {
  std::array<uint8_t, 16> bytes{};
  bytes.back() = 1;
  return Address::ipv6(bytes, port);
}

Address unused_abstract_name() {
  static std::atomic<int> count{0};
  return Address::unix_abstract(fmt::format("sluice-test-{}-{}", ::getpid(), ++count));
}

UniqueFd listen_on(const Address& address, int backlog) {
  const SocketAddress where(address);
  UniqueFd fd(::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  if (address.is_ip()) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(fd.get(), where.data(), where.size()) != 0) give_up("bind");
  if (::listen(fd.get(), backlog) != 0) give_up("listen");
  set_time_limit(fd.get(), kTimeLimitSeconds);
  return fd;
}

Address address_of(const UniqueFd& socket) { return local_address(socket.get()); }

RefusingPort refusing_port() {
  RefusingPort port;
  port.holder = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress where(loopback());
  if (::bind(port.holder.get(), where.data(), where.size()) != 0) give_up("bind");
  port.address = address_of(port.holder);
  return port;
}

UniqueFd connect_to(const Address& address) {
  const SocketAddress where(address);
  UniqueFd fd(::socket(where.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  set_time_limit(fd.get(), kTimeLimitSeconds);
  if (address.is_ip()) {
    set_connect_options(fd.get(), TcpOptions{});
    set_nodelay(fd.get());
  }
  if (::connect(fd.get(), where.data(), where.size()) != 0) return UniqueFd();
  return fd;
}

UniqueFd accept_from(const UniqueFd& listening) {
  UniqueFd fd(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd) give_up("accept");
  set_time_limit(fd.get(), kTimeLimitSeconds);
  return fd;
}

bool has_pending_client(const UniqueFd& listening, int timeout_ms) {
  pollfd waiting{.fd = listening.get(), .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, timeout_ms) == 1;
}

int option_of(const UniqueFd& socket, int level, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  if (::getsockopt(socket.get(), level, option, &value, &size) != 0) give_up("getsockopt");
  return value;
}

void set_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

void set_time_limit(int fd, int seconds) {
  const timeval limit{.tv_sec = seconds, .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

void reset_connection(UniqueFd socket) {
  reset_on_close(socket.get());
  socket.reset();
}

void end_stream(const UniqueFd& socket) { ::shutdown(socket.get(), SHUT_WR); }

void play_dead(const UniqueFd& socket) {
  sock_filter drop_all = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog program{.len = 1, .filter = &drop_all};
  ASSERT_EQ(::setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
}

size_t send_some(const UniqueFd& socket, std::string_view bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t written =
        ::send(socket.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written <= 0) break;
    sent += static_cast<size_t>(written);
  }
  return sent;
}

void send_all(const UniqueFd& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ASSERT_GT(written, 0) << std::strerror(errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

ReadEnd receive_some(const UniqueFd& socket, std::string& bytes) {
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    const ssize_t count = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count == 0) return ReadEnd::end_of_stream;
    if (count < 0) return errno == EAGAIN ? ReadEnd::nothing_yet : ReadEnd::reset;
    bytes.append(buffer.data(), static_cast<size_t>(count));
  }
}

ReadEnd receive(const UniqueFd& socket, size_t size, std::string& bytes) {
  std::vector<char> buffer(64 * 1024);
  while (bytes.size() < size) {
    const size_t wanted = std::min(buffer.size(), size - bytes.size());
    const ssize_t count = ::recv(socket.get(), buffer.data(), wanted, 0);
    if (count == 0) return ReadEnd::end_of_stream;
    if (count < 0 && errno == EAGAIN) {
      ADD_FAILURE() << "time limit reached after " << bytes.size() << " bytes";
      return ReadEnd::nothing_yet;
    }
    if (count < 0) return ReadEnd::reset;
    bytes.append(buffer.data(), static_cast<size_t>(count));
  }
  return ReadEnd::enough;
}

ReadEnd receive_to_end(const UniqueFd& socket, std::string& bytes) {
  return receive(socket, std::string::npos, bytes);
}

std::string pattern(size_t size, uint64_t seed) {
  Random random(seed);
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
    const uint64_t word = random.next();
    std::memcpy(bytes.data() + i, &word, std::min(sizeof word, size - i));
  }
  return bytes;
}

}  // namespace sluice
