#include "sluice/net/connector.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "open_files.h"
#include "sluice/net/half_pump.h"
#include "sluice/net/socket_address.h"
#include "sockets.h"
#include "temporary_directory.h"
#include "waiting.h"

namespace sluice {
namespace {

using State = ConnectProgress::State;

// A connect under way, watched by a poller.
class Attempt final : public PollTarget {
 public:
  explicit Attempt(const Address& target, std::optional<Address> source = std::nullopt)
      : start(start_connect(target, source, TcpOptions{})) {
    if (start.error == 0) {
      EXPECT_TRUE(poller.add(start.fd.get(), *this, 0));
    }
  }

  void on_ready(unsigned, Readiness readiness) override {
    if (progress.state != State::under_way) return;
    last_readiness = readiness;
    progress = connect_progress(start.fd.get(), readiness);
  }

  // The verdict, or under_way when there is none in time.
  ConnectProgress verdict(Duration patience = kPatience) {
    run_until(
        loop, [&] { return progress.state != State::under_way; }, patience);
    return progress;
  }

  Loop loop;
  Poller poller{loop};
  ConnectStart start;
  ConnectProgress progress;
  Readiness last_readiness;
};

TEST(Connector, connects_over_ipv4_ipv6_and_unix) {
  for (const Address& address : {loopback(), ipv6_loopback(), unused_abstract_name()}) {
    const UniqueFd listening = listen_on(address);
    Attempt attempt(address_of(listening));
    ASSERT_EQ(attempt.start.error, 0) << address.to_string();
    EXPECT_FALSE(attempt.start.is_backlog_full);
    EXPECT_EQ(attempt.verdict().state, State::connected) << address.to_string();
    const UniqueFd accepted = accept_from(listening);
    send_all(accepted, "hello");
    std::string arrived;
    ASSERT_TRUE(wait_until([&] {
      receive_some(attempt.start.fd, arrived);
      return arrived == "hello";
    }));
  }
}

TEST(Connector, socket_does_not_block_is_not_inherited_and_has_its_options) {
  const UniqueFd listening = listen_on(loopback());
  const ConnectStart start = start_connect(address_of(listening), std::nullopt, TcpOptions{});
  EXPECT_NE(::fcntl(start.fd.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(start.fd.get(), F_GETFD) & FD_CLOEXEC, 0);
  EXPECT_EQ(option_of(start.fd, SOL_SOCKET, SO_OOBINLINE), 1);
}

TEST(Connector, refused_is_refused) {
  const RefusingPort port = refusing_port();
  Attempt attempt(port.address);
  const ConnectProgress progress = attempt.verdict();
  EXPECT_EQ(progress.state, State::failed);
  EXPECT_EQ(classify_connect_error(progress.error), ConnectError::refused);
}

TEST(Connector, missing_unix_socket_is_refused_at_once) {
  const TemporaryDirectory directory;
  const auto start =
      start_connect(Address::unix_path(directory.file("absent.sock")), std::nullopt, TcpOptions{});
  EXPECT_EQ(start.error, ENOENT);
  EXPECT_EQ(classify_connect_error(start.error), ConnectError::refused);
  const auto no_name = start_connect(unused_abstract_name(), std::nullopt, TcpOptions{});
  EXPECT_EQ(classify_connect_error(no_name.error), ConnectError::refused);
}

TEST(Connector, unreachable_is_unreachable) {
  // 240.0.0.0/4 is reserved: the kernel has no route for it.
  const auto start =
      start_connect(Address::ipv4({255, 255, 255, 255}, 80), std::nullopt, TcpOptions{});
  ASSERT_NE(start.error, 0);
  EXPECT_EQ(classify_connect_error(start.error), ConnectError::unreachable)
      << std::strerror(start.error);
}

TEST(Connector, what_is_our_own_is_not_the_backends) {
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL, EACCES, EPERM, EAGAIN}) {
    EXPECT_EQ(classify_connect_error(error), ConnectError::local) << std::strerror(error);
  }
  for (const int error : {ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ECONNRESET}) {
    EXPECT_NE(classify_connect_error(error), ConnectError::local) << std::strerror(error);
  }
}

TEST(Connector, full_unix_backlog_is_waited_for_until_there_is_room) {
  const Address address = unused_abstract_name();
  const UniqueFd listening = listen_on(address, 0);
  std::vector<UniqueFd> queued;
  ConnectStart start;
  for (int i = 0; i < 10; ++i) {
    start = start_connect(address, std::nullopt, TcpOptions{});
    ASSERT_EQ(start.error, 0);
    if (start.is_backlog_full) break;
    queued.push_back(std::move(start.fd));
  }
  ASSERT_TRUE(start.is_backlog_full);
  EXPECT_EQ(connect_again(start.fd.get(), address), EAGAIN);
  const UniqueFd first = accept_from(listening);
  EXPECT_EQ(connect_again(start.fd.get(), address), 0);
  EXPECT_TRUE(first);
}

// A unix socket that is not connecting looks writable and hung up: no verdict on anything.
TEST(Connector, poller_speaks_of_an_idle_unix_socket_too) {
  const Address address = unused_abstract_name();
  const UniqueFd listening = listen_on(address, 0);
  std::vector<UniqueFd> queued;
  for (bool is_full = false; !is_full;) {
    ConnectStart start = start_connect(address, std::nullopt, TcpOptions{});
    is_full = start.is_backlog_full;
    queued.push_back(std::move(start.fd));
  }
  Attempt attempt(address);
  ASSERT_TRUE(attempt.start.is_backlog_full);
  attempt.verdict(std::chrono::milliseconds(50));
  EXPECT_TRUE(attempt.last_readiness.has_hangup()) << "whoever waits for room must not ask";
}

TEST(Connector, data_before_a_reset_makes_it_a_connection) {
  const UniqueFd listening = listen_on(loopback());
  ConnectStart start = start_connect(address_of(listening), std::nullopt, TcpOptions{});
  ASSERT_EQ(start.error, 0);
  UniqueFd server = accept_from(listening);
  send_all(server, "too many connections");
  reset_connection(std::move(server));
  // As one event, with the reset already there.
  const ConnectProgress progress =
      connect_progress(start.fd.get(), Readiness{EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP});
  EXPECT_EQ(progress.state, State::connected);
  EXPECT_EQ(progress.error, ECONNRESET);
  std::string arrived;
  receive_some(start.fd, arrived);
  EXPECT_EQ(arrived, "too many connections");
}

TEST(Connector, reset_without_data_is_a_connection_that_broke) {
  const UniqueFd listening = listen_on(loopback());
  ConnectStart start = start_connect(address_of(listening), std::nullopt, TcpOptions{});
  reset_connection(accept_from(listening));
  const ConnectProgress progress =
      connect_progress(start.fd.get(), Readiness{EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP});
  EXPECT_EQ(progress.state, State::connected);
  EXPECT_EQ(progress.error, ECONNRESET);
}

// A unix socket whose peer has closed is hung up like one that never connected.
TEST(Connector, peer_that_closes_at_once_was_connected) {
  for (const Address& address : {loopback(), ipv6_loopback(), unused_abstract_name()}) {
    const UniqueFd listening = listen_on(address);
    Attempt attempt(address_of(listening));
    ASSERT_EQ(attempt.start.error, 0);
    send_all(accept_from(listening), "bye");
    EXPECT_EQ(attempt.verdict(std::chrono::seconds(2)).state, State::connected)
        << address.to_string();
    EXPECT_EQ(attempt.progress.error, 0);
    std::string arrived;
    EXPECT_EQ(receive_some(attempt.start.fd, arrived), ReadEnd::end_of_stream);
    EXPECT_EQ(arrived, "bye");
  }
}

TEST(Connector, lone_hang_up_is_no_verdict) {
  const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect_progress(fd.get(), Readiness{EPOLLHUP}).state, State::under_way);
  EXPECT_EQ(connect_progress(fd.get(), Readiness{EPOLLHUP | EPOLLOUT}).state, State::under_way);
}

// Binds the port it connects to, which is what the kernel does by chance.
UniqueFd connect_to_oneself(const Address& listens_nowhere, Address& own) {
  UniqueFd fd(::socket(listens_nowhere.kind() == Address::Kind::ipv4 ? AF_INET : AF_INET6,
                       SOCK_STREAM | SOCK_CLOEXEC, 0));
  const SocketAddress any_port(listens_nowhere);
  EXPECT_EQ(::bind(fd.get(), any_port.data(), any_port.size()), 0);
  own = address_of(fd);
  const SocketAddress itself(own);
  EXPECT_EQ(::connect(fd.get(), itself.data(), itself.size()), 0) << std::strerror(errno);
  return fd;
}

TEST(Connector, connection_to_oneself_is_found) {
  for (const Address& address : {loopback(), ipv6_loopback()}) {
    Address own;
    const UniqueFd fd = connect_to_oneself(address, own);
    EXPECT_TRUE(is_connected_to_itself(fd.get(), own)) << own.to_string();
    // And it does answer, which is the trap.
    send_all(fd, "ping");
    std::string arrived;
    EXPECT_EQ(receive(fd, 4, arrived), ReadEnd::enough);
  }
}

TEST(Connector, connection_to_oneself_is_found_behind_the_unspecified_address) {
  // Linux connects 0.0.0.0 to the loopback address.
  Address own;
  const UniqueFd fd = connect_to_oneself(loopback(), own);
  EXPECT_TRUE(is_connected_to_itself(fd.get(), Address::ipv4({0, 0, 0, 0}, own.port())));
}

TEST(Connector, connection_to_another_is_not_taken_for_one_to_oneself) {
  const UniqueFd listening = listen_on(loopback());
  const UniqueFd fd = connect_to(address_of(listening));
  EXPECT_FALSE(is_connected_to_itself(fd.get(), address_of(listening)));
  // The same port at another address.
  Address own = address_of(fd);
  EXPECT_FALSE(is_connected_to_itself(fd.get(), Address::ipv4({127, 0, 0, 2}, own.port())));
}

TEST(Connector, source_address_is_used_and_its_port_is_not) {
  const UniqueFd listening = listen_on(loopback());
  Attempt attempt(address_of(listening), Address::ipv4({127, 0, 0, 9}, 1));
  ASSERT_EQ(attempt.verdict().state, State::connected);
  const Address source = address_of(attempt.start.fd);
  EXPECT_EQ(source.with_port(0), Address::ipv4({127, 0, 0, 9}, 0));
  EXPECT_NE(source.port(), 1);
  // A port is taken at connect(), so that it can serve many destinations.
  int late = 0;
  socklen_t size = sizeof late;
  ::getsockopt(attempt.start.fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, &size);
  EXPECT_EQ(late, 1);
}

TEST(Connector, source_address_of_another_family_is_not_used) {
  const UniqueFd listening = listen_on(ipv6_loopback());
  Attempt attempt(address_of(listening), loopback());
  EXPECT_EQ(attempt.verdict().state, State::connected);
}

TEST(Connector, foreign_source_address_is_our_own_error) {
  const UniqueFd listening = listen_on(loopback());
  const auto start =
      start_connect(address_of(listening), Address::ipv4({192, 0, 2, 1}, 0), TcpOptions{});
  EXPECT_EQ(start.error, EADDRNOTAVAIL);
  EXPECT_EQ(classify_connect_error(start.error), ConnectError::local);
}

TEST(Connector, failed_starts_leak_nothing) {
  const size_t files = count_open_files();
  for (int i = 0; i < 10; ++i) {
    start_connect(unused_abstract_name(), std::nullopt, TcpOptions{});
    start_connect(loopback(1), Address::ipv4({192, 0, 2, 1}, 0), TcpOptions{});
  }
  EXPECT_EQ(count_open_files(), files);
}

}  // namespace
}  // namespace sluice
