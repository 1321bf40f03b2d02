#include "sluice/net/socket_options.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "sockets.h"

namespace sluice {
namespace {

UniqueFd tcp_socket() { return UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

TEST(SocketOptions, connect_options_leave_nodelay_and_keepalive_for_later) {
  const UniqueFd fd = tcp_socket();
  TcpOptions options;
  options.user_timeout = std::chrono::milliseconds(1500);
  set_connect_options(fd.get(), options);
  EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_EQ(option_of(fd, SOL_SOCKET, SO_OOBINLINE), 1);
  EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 1500);
  EXPECT_EQ(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
}

TEST(SocketOptions, keepalive_spans_below_a_second_are_a_second) {
  const UniqueFd fd = tcp_socket();
  set_keepalive(fd.get(), {.idle = std::chrono::milliseconds(1),
                           .interval = std::chrono::milliseconds(1500),
                           .probes = 2});
  EXPECT_EQ(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 1);
  EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), 2);
  EXPECT_EQ(option_of(fd, IPPROTO_TCP, TCP_KEEPCNT), 2);
}

TEST(SocketOptions, close_resets_only_where_it_was_asked_to) {
  for (const bool is_asked : {false, true}) {
    SocketPair pair = connected_pair(Transport::tcp);
    if (is_asked) reset_on_close(pair.near.get());
    pair.near.reset();
    std::string nothing;
    EXPECT_EQ(receive_to_end(pair.far, nothing),
              is_asked ? ReadEnd::reset : ReadEnd::end_of_stream);
  }
}

}  // namespace
}  // namespace sluice
