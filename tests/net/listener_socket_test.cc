#include "sluice/net/listener_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "open_files.h"
#include "sluice/net/socket_address.h"
#include "sockets.h"

namespace sluice {
namespace {

class ListenerSocket : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "sluice-test-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    files_ = count_open_files();
  }
  void TearDown() override {
    EXPECT_EQ(count_open_files(), files_) << describe_open_files();
    std::filesystem::remove_all(directory_);
  }
  std::string file(const std::string& name) const { return directory_ / name; }
  static mode_t mode_of(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0);
    return status.st_mode;
  }

  std::filesystem::path directory_;
  size_t files_ = 0;
};

void expect_in_use(const Address& address) {
  const auto result = open_listener(address, 2, ListenOptions{});
  ASSERT_FALSE(result) << address.to_string();
  EXPECT_EQ(result.error().system_error, EADDRINUSE);
  EXPECT_NE(result.error().message.find(address.to_string()), std::string::npos)
      << result.error().message;
}

TEST_F(ListenerSocket, port_zero_is_one_port_shared_by_all_of_them) {
  for (const Address& address : {loopback(), ipv6_loopback()}) {
    const auto sockets = open_listener(address, 4, ListenOptions{});
    ASSERT_TRUE(sockets) << sockets.error().message;
    ASSERT_EQ(sockets->size(), 4U);
    std::set<uint16_t> ports;
    for (const UniqueFd& socket : *sockets) {
      ports.insert(address_of(socket).port());
      EXPECT_EQ(option_of(socket, SOL_SOCKET, SO_ACCEPTCONN), 1);
      EXPECT_NE(::fcntl(socket.get(), F_GETFL) & O_NONBLOCK, 0);
      EXPECT_NE(::fcntl(socket.get(), F_GETFD) & FD_CLOEXEC, 0);
    }
    ASSERT_EQ(ports.size(), 1U);
    EXPECT_NE(*ports.begin(), 0);
    // And all of them get clients.
    std::set<size_t> served;
    std::vector<UniqueFd> clients;
    for (int i = 0; i < 400 && served.size() < 4; ++i) {
      clients.push_back(connect_to(address.with_port(*ports.begin())));
      ASSERT_TRUE(clients.back());
      for (size_t index = 0; index < sockets->size(); ++index) {
        const UniqueFd accepted(::accept((*sockets)[index].get(), nullptr, nullptr));
        if (accepted) served.insert(index);
      }
    }
    EXPECT_EQ(served.size(), 4U);
  }
}

TEST_F(ListenerSocket, port_of_another_is_in_use) {
  const UniqueFd other = listen_on(loopback());
  expect_in_use(address_of(other));
}

TEST_F(ListenerSocket, port_of_another_that_shares_it_is_in_use_too) {
  const auto other = open_listener(loopback(), 1, ListenOptions{});
  ASSERT_TRUE(other);
  const Address address = address_of(other->front());
  // The kernel itself would let us in.
  UniqueFd intruder(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(intruder.get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
  const SocketAddress where(address);
  ASSERT_EQ(::bind(intruder.get(), where.data(), where.size()), 0);
  intruder.reset();
  expect_in_use(address);
}

TEST_F(ListenerSocket, port_under_anothers_wildcard_is_in_use) {
  const auto other = open_listener(Address::ipv4({0, 0, 0, 0}, 0), 1, ListenOptions{});
  ASSERT_TRUE(other);
  expect_in_use(loopback(address_of(other->front()).port()));
}

TEST_F(ListenerSocket, port_in_time_wait_is_free) {
  Address address;
  {
    const auto first = open_listener(loopback(), 1, ListenOptions{});
    ASSERT_TRUE(first);
    address = address_of(first->front());
    const UniqueFd client = connect_to(address);
    // The side that closes first waits.
    UniqueFd accepted(::accept(first->front().get(), nullptr, nullptr));
    ASSERT_TRUE(accepted);
    accepted.reset();
    std::string nothing;
    EXPECT_EQ(receive_to_end(client, nothing), ReadEnd::end_of_stream);
  }
  EXPECT_TRUE(open_listener(address, 2, ListenOptions{}));
}

TEST_F(ListenerSocket, ipv6_listens_beside_ipv4_on_the_same_port) {
  const auto ipv4 = open_listener(Address::ipv4({0, 0, 0, 0}, 0), 2, ListenOptions{});
  ASSERT_TRUE(ipv4);
  const uint16_t port = address_of(ipv4->front()).port();
  const auto ipv6 = open_listener(Address::ipv6({}, port), 2, ListenOptions{});
  ASSERT_TRUE(ipv6) << ipv6.error().message;
  EXPECT_TRUE(connect_to(loopback(port)));
  EXPECT_TRUE(connect_to(ipv6_loopback(port)));
}

TEST_F(ListenerSocket, foreign_address_is_an_error_that_says_so) {
  const auto result = open_listener(Address::ipv4({192, 0, 2, 1}, 0), 1, ListenOptions{});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().system_error, EADDRNOTAVAIL);
}

TEST_F(ListenerSocket, accepted_sockets_are_born_with_the_listeners_options) {
  ListenOptions options;
  options.tcp.user_timeout = std::chrono::seconds(7);
  options.tcp.keepalive = KeepaliveOptions{
      .idle = std::chrono::seconds(61), .interval = std::chrono::seconds(11), .probes = 4};
  const auto sockets = open_listener(loopback(), 1, options);
  ASSERT_TRUE(sockets);
  const UniqueFd client = connect_to(address_of(sockets->front()));
  const UniqueFd accepted(::accept4(sockets->front().get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(accepted);
  EXPECT_EQ(option_of(accepted, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option_of(accepted, SOL_SOCKET, SO_OOBINLINE), 1);
  EXPECT_EQ(option_of(accepted, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option_of(accepted, IPPROTO_TCP, TCP_KEEPIDLE), 61);
  EXPECT_EQ(option_of(accepted, IPPROTO_TCP, TCP_KEEPINTVL), 11);
  EXPECT_EQ(option_of(accepted, IPPROTO_TCP, TCP_KEEPCNT), 4);
  EXPECT_EQ(option_of(accepted, IPPROTO_TCP, TCP_USER_TIMEOUT), 7000);
}

TEST_F(ListenerSocket, accepted_sockets_have_only_what_was_asked_for) {
  ListenOptions options;
  options.tcp.nodelay = false;
  options.tcp.keepalive = std::nullopt;
  const auto sockets = open_listener(loopback(), 1, options);
  ASSERT_TRUE(sockets);
  const UniqueFd client = connect_to(address_of(sockets->front()));
  const UniqueFd accepted(::accept4(sockets->front().get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_EQ(option_of(accepted, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(option_of(accepted, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(option_of(accepted, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
}

TEST_F(ListenerSocket, unix_socket_file_has_its_mode_and_owner) {
  ListenOptions options;
  options.unix_mode = 0604;
  if (::geteuid() == 0) {
    options.unix_owner = "nobody";
    options.unix_group = "12345";
  }
  const std::string path = file("a.sock");
  const auto sockets = open_listener(Address::unix_path(path), 3, options);
  ASSERT_TRUE(sockets) << sockets.error().message;
  EXPECT_EQ(sockets->size(), 1U) << "one, to be shared";
  EXPECT_TRUE(S_ISSOCK(mode_of(path)));
  EXPECT_EQ(mode_of(path) & 07777U, 0604U);
  if (::geteuid() == 0) {
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 65534U);
    EXPECT_EQ(status.st_gid, 12345U);
  }
  EXPECT_TRUE(connect_to(Address::unix_path(path)));
}

TEST_F(ListenerSocket, unknown_owner_is_an_error_and_leaves_no_file) {
  ListenOptions options;
  options.unix_owner = "no-such-user";
  const std::string path = file("a.sock");
  const auto result = open_listener(Address::unix_path(path), 1, options);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("no-such-user"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ListenerSocket, stale_unix_socket_file_is_replaced) {
  const std::string path = file("a.sock");
  listen_on(Address::unix_path(path)).reset();
  ASSERT_TRUE(std::filesystem::exists(path));
  const auto sockets = open_listener(Address::unix_path(path), 1, ListenOptions{});
  ASSERT_TRUE(sockets) << sockets.error().message;
  EXPECT_TRUE(connect_to(Address::unix_path(path)));
}

TEST_F(ListenerSocket, live_unix_socket_is_in_use) {
  const Address address = Address::unix_path(file("a.sock"));
  const UniqueFd other = listen_on(address);
  expect_in_use(address);
  EXPECT_TRUE(connect_to(address)) << "and still there";
}

TEST_F(ListenerSocket, live_unix_socket_with_a_full_backlog_is_in_use) {
  const Address address = Address::unix_path(file("a.sock"));
  const UniqueFd other = listen_on(address, 0);
  const UniqueFd waiting = connect_to(address);
  expect_in_use(address);
}

TEST_F(ListenerSocket, live_unix_socket_of_another_type_is_in_use) {
  const Address address = Address::unix_path(file("log.sock"));
  const UniqueFd other(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const SocketAddress where(address);
  ASSERT_EQ(::bind(other.get(), where.data(), where.size()), 0);
  expect_in_use(address);
  EXPECT_TRUE(std::filesystem::exists(address.text()));
}

TEST_F(ListenerSocket, plain_file_is_never_replaced) {
  const std::string path = file("precious");
  std::ofstream(path) << "data";
  const auto result = open_listener(Address::unix_path(path), 1, ListenOptions{});
  EXPECT_FALSE(result);
  EXPECT_EQ(std::filesystem::file_size(path), 4U);
}

TEST_F(ListenerSocket, missing_directory_is_an_error_that_says_so) {
  const auto result = open_listener(Address::unix_path(file("none/a.sock")), 1, ListenOptions{});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("directory"), std::string::npos);
}

TEST_F(ListenerSocket, abstract_name_can_be_listened_on_once) {
  const Address address = unused_abstract_name();
  const auto sockets = open_listener(address, 2, ListenOptions{});
  ASSERT_TRUE(sockets) << sockets.error().message;
  EXPECT_EQ(sockets->size(), 1U);
  EXPECT_EQ(address_of(sockets->front()), address);
  EXPECT_TRUE(connect_to(address));
  expect_in_use(address);
}

}  // namespace
}  // namespace sluice
