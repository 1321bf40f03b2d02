// Accepting: limits, shortages, sharing, the end of it.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include <set>
#include <thread>

#include "echo_server.h"
#include "proxy_rig.h"
#include "sluice/net/socket_address.h"

namespace sluice {
namespace {

class Accepting : public ProxyTest {
 protected:
  // Whether the client is served; waits a moment before it says no.
  static bool is_served(const UniqueFd& client, Duration patience = kPatience) {
    send_some(client, "x");
    std::string echo;
    return wait_until(
        [&] {
          receive_some(client, echo);
          return !echo.empty();
        },
        patience);
  }
  static Duration cpu_time() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
  }

  EchoServer echo_;
};

TEST_F(Accepting, listener_at_its_limit_lets_clients_wait_in_the_queue) {
  add_backend(echo_.address());
  listener_config.max_connections = 2;
  start();
  UniqueFd first = connect_client();
  const UniqueFd second = connect_client();
  ASSERT_TRUE(is_served(first));
  ASSERT_TRUE(is_served(second));
  const UniqueFd third = connect_client();
  EXPECT_FALSE(is_served(third, milliseconds(400)));
  EXPECT_EQ(listener().limit().active(), 2U);
  first.reset();
  EXPECT_TRUE(is_served(third));
  EXPECT_NE(notices().find("listener"), std::string::npos);
}

TEST_F(Accepting, process_at_its_limit_lets_clients_wait_in_the_queue) {
  add_backend(echo_.address());
  process_connections_max = 1;
  worker_count = 2;
  start();
  UniqueFd first = connect_client();
  ASSERT_TRUE(is_served(first));
  std::vector<UniqueFd> waiting;
  for (int i = 0; i < 8; ++i) waiting.push_back(connect_client());
  for (const UniqueFd& client : waiting) EXPECT_FALSE(is_served(client, milliseconds(50)));
  first.reset();
  // One after another, whichever worker they wait at.
  for (size_t served = 0; served < 8; ++served) {
    ASSERT_TRUE(wait_until([&] {
      for (UniqueFd& client : waiting) {
        std::string echo;
        if (client) receive_some(client, echo);
        if (echo.empty()) continue;
        client.reset();
        return true;
      }
      return false;
    })) << served;
  }
}

TEST_F(Accepting, without_a_limit_nobody_waits) {
  add_backend(echo_.address());
  start();
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(connect_client());
  for (const UniqueFd& client : clients) EXPECT_TRUE(is_served(client));
}

TEST_F(Accepting, lack_of_descriptors_pauses_and_recovers_without_spinning) {
  add_backend(echo_.address());
  start();
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  {
    const UniqueFd next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const rlimit tight{.rlim_cur = static_cast<rlim_t>(next.get()), .rlim_max = usual.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  }
  const SocketAddress where(front());
  ASSERT_EQ(::connect(client.get(), where.data(), where.size()), 0);
  const bool was_said =
      wait_until([&] { return notices().find("open files") != std::string::npos; });
  const Duration before = cpu_time();
  EXPECT_FALSE(wait_until([&] { return backend().active_connections() > 0; }, milliseconds(600)));
  const Duration used = cpu_time() - before;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
  EXPECT_TRUE(was_said);
  EXPECT_LT(used, milliseconds(250)) << "it spins";
  EXPECT_TRUE(is_served(client));
}

TEST_F(Accepting, socket_that_only_fails_does_not_spin) {
  add_backend(echo_.address());
  // No longer listening: accept() says EINVAL for ever, and epoll that it is ready.
  tamper_with_listener = [](UniqueFd& socket) { ::shutdown(socket.get(), SHUT_RD); };
  start();
  EXPECT_TRUE(wait_until([&] { return !notices().empty(); }));
  const Duration before = cpu_time();
  EXPECT_FALSE(wait_until([&] { return record_count() > 0; }, milliseconds(600)));
  EXPECT_LT(cpu_time() - before, milliseconds(250));
}

TEST_F(Accepting, socket_that_cannot_be_watched_is_told_of_and_tried_again) {
  tamper_with_listener = [](UniqueFd& socket) {
    socket = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  };
  start();
  EXPECT_NE(notices().find("cannot watch"), std::string::npos);
}

TEST_F(Accepting, unix_socket_is_shared_by_the_workers) {
  add_backend(echo_.address());
  worker_count = 2;
  start(unused_abstract_name());
  for (int i = 0; i < 100; ++i) {
    const UniqueFd client = connect_client();
    ASSERT_TRUE(is_served(client));
  }
  records(100);
  EXPECT_EQ(echo_.connections(), 100U);
}

TEST_F(Accepting, both_workers_of_a_port_serve) {
  add_backend(echo_.address());
  worker_count = 2;
  start();
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(connect_client());
    ASSERT_TRUE(is_served(clients.back()));
  }
  // Only one worker's sessions end.
  worker(0).cut_sessions(EndReason::shutdown);
  ASSERT_TRUE(wait_until([&] { return record_count() > 0; }));
  EXPECT_LT(records(1).size(), 100U);
  EXPECT_GT(process_limit->active(), 0U);
}

TEST_F(Accepting, end_of_accepting_takes_who_is_queued_and_tells_when_all_are_gone) {
  add_backend(echo_.address());
  start();
  UniqueFd client = connect_client();
  ASSERT_TRUE(is_served(client));
  stop_accepting();
  EXPECT_TRUE(wait_until([&] { return !connect_client(); })) << "refused from now on";
  EXPECT_EQ(idle_reports(), 0U);
  EXPECT_TRUE(is_served(client));
  client.reset();
  EXPECT_TRUE(wait_until([&] { return idle_reports() == 1; }));
}

TEST_F(Accepting, idle_is_told_once_when_there_was_nobody) {
  start();
  stop_accepting();
  EXPECT_TRUE(wait_until([&] { return idle_reports() > 0; }));
  worker().post([] {});
  stop();
  EXPECT_EQ(idle_reports(), 1U);
}

TEST_F(Accepting, idle_is_told_once_when_the_queued_are_refused) {
  // No backend: they end in the very turn in which they are taken.
  process_connections_max = 1;
  start();
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(connect_client());
  stop_accepting();
  EXPECT_TRUE(wait_until([&] { return idle_reports() > 0; }));
  stop();
  EXPECT_EQ(idle_reports(), 1U);
}

TEST_F(Accepting, fat_session_does_not_starve_the_others) {
  add_backend(echo_.address());
  start();
  const UniqueFd fat = connect_client();
  std::atomic<bool> has_enough{false};
  const std::string bytes = pattern(1 << 20);
  std::thread sender([&] {
    while (!has_enough) send_all(fat, bytes);
    end_stream(fat);
  });
  std::thread reader([&] {
    std::string sink;
    while (receive(fat, 1 << 20, sink) == ReadEnd::enough) sink.clear();
  });
  for (int i = 0; i < 50; ++i) {
    const UniqueFd client = connect_client();
    EXPECT_TRUE(is_served(client, seconds(5)));
  }
  has_enough = true;
  sender.join();
  reader.join();
}

}  // namespace
}  // namespace sluice
