#include "sluice/net/dead_peer.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

#include "sockets.h"
#include "waiting.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using Verdict = DeadPeerWatch::Verdict;

constexpr Duration kTimeout = milliseconds(400);
constexpr Duration kInterval = DeadPeerWatch::look_interval(kTimeout);

TimePoint now() { return TimePoint(std::chrono::steady_clock::now().time_since_epoch()); }

Duration silence_of(const UniqueFd& socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  EXPECT_EQ(::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  return milliseconds(info.tcpi_last_ack_recv);
}

// Looks at the usual interval until the verdict or the end of `patience`.
bool comes_to(DeadPeerWatch& watch, const UniqueFd& socket, Verdict verdict, Duration patience) {
  TimePoint next_look = now();
  return wait_until(
      [&] {
        if (now() < next_look) return false;
        next_look = now() + kInterval;
        return watch.look(socket.get(), now(), kTimeout) == verdict;
      },
      patience);
}

TEST(DeadPeer, connection_with_everything_acknowledged_is_settled) {
  SocketPair pair = connected_pair(Transport::tcp);
  DeadPeerWatch watch;
  EXPECT_EQ(watch.look(pair.near.get(), now(), kTimeout), Verdict::settled);
  send_all(pair.near, "hello");
  EXPECT_TRUE(comes_to(watch, pair.near, Verdict::settled, kPatience));
}

TEST(DeadPeer, peer_that_is_gone_is_found_in_time_and_not_before) {
  SocketPair pair = connected_pair(Transport::tcp);
  play_dead(pair.far);
  send_all(pair.near, "anybody there?");
  const TimePoint sent_at = now();
  DeadPeerWatch watch;
  EXPECT_TRUE(comes_to(watch, pair.near, Verdict::dead, kPatience));
  const Duration taken = now() - sent_at;
  EXPECT_GE(taken, kTimeout);
  EXPECT_LE(taken, kTimeout + 2 * kInterval + milliseconds(500)) << "and a busy machine's delay";
}

TEST(DeadPeer, slow_reader_with_a_closed_window_is_left_alone) {
  SocketPair pair = connected_pair(Transport::tcp, {}, {.receive = 4096});
  const std::string bytes = pattern(8 << 20);
  ASSERT_LT(send_some(pair.near, bytes), bytes.size());
  DeadPeerWatch watch;
  EXPECT_FALSE(comes_to(watch, pair.near, Verdict::dead, 5 * kTimeout));
  EXPECT_EQ(watch.look(pair.near.get(), now(), kTimeout), Verdict::outstanding);
}

TEST(DeadPeer, peer_that_went_with_its_window_closed_is_found_by_the_kernels_probes) {
  SocketPair pair = connected_pair(Transport::tcp, {}, {.receive = 4096});
  const std::string bytes = pattern(8 << 20);
  ASSERT_LT(send_some(pair.near, bytes), bytes.size());
  DeadPeerWatch watch;
  // Closed: everything that was sent has been acknowledged, the rest may not be sent.
  ASSERT_TRUE(wait_until([&] {
    tcp_info info{};
    socklen_t size = sizeof info;
    ::getsockopt(pair.near.get(), IPPROTO_TCP, TCP_INFO, &info, &size);
    return info.tcpi_unacked == 0;
  }));
  play_dead(pair.far);
  EXPECT_TRUE(comes_to(watch, pair.near, Verdict::dead, kPatience));
}

TEST(DeadPeer, idle_connection_that_has_just_sent_is_not_dead) {
  SocketPair pair = connected_pair(Transport::tcp);
  send_all(pair.near, "x");
  DeadPeerWatch watch;
  ASSERT_TRUE(comes_to(watch, pair.near, Verdict::settled, kPatience));
  ASSERT_TRUE(wait_until([&] { return silence_of(pair.near) > kTimeout; }));
  play_dead(pair.far);
  send_all(pair.near, "y");
  // Who asked the kernel only for the last acknowledgement would take it for dead.
  EXPECT_GE(silence_of(pair.near), kTimeout);
  EXPECT_EQ(watch.look(pair.near.get(), now(), kTimeout), Verdict::outstanding);
  EXPECT_TRUE(comes_to(watch, pair.near, Verdict::dead, kPatience));
}

TEST(DeadPeer, peer_that_comes_back_starts_the_count_again) {
  SocketPair pair = connected_pair(Transport::tcp);
  play_dead(pair.far);
  send_all(pair.near, "x");
  DeadPeerWatch watch;
  EXPECT_EQ(watch.look(pair.near.get(), now(), kTimeout), Verdict::outstanding);
  const int unused = 0;
  ASSERT_EQ(::setsockopt(pair.far.get(), SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused), 0);
  // The next retransmission is acknowledged.
  ASSERT_TRUE(comes_to(watch, pair.near, Verdict::settled, kPatience));
  play_dead(pair.far);
  send_all(pair.near, "y");
  const TimePoint sent_at = now();
  EXPECT_TRUE(comes_to(watch, pair.near, Verdict::dead, kPatience));
  EXPECT_GE(now() - sent_at, kTimeout);
}

TEST(DeadPeer, unix_socket_is_always_settled) {
  SocketPair pair = connected_pair(Transport::unix_domain);
  send_all(pair.near, "x");
  DeadPeerWatch watch;
  EXPECT_EQ(watch.look(pair.near.get(), now(), kTimeout), Verdict::settled);
}

}  // namespace
}  // namespace sluice
