// Several workers under load, with reloads in between. Meant to be run under ThreadSanitizer too.
#include <atomic>
#include <thread>

#include "echo_server.h"
#include "proxy_rig.h"

namespace sluice {
namespace {

constexpr int kClients = 8;
constexpr int kSessionsEach = 100;

using ProxyThreads = ProxyTest;

// Connects, and then vanishes, resets, or waits for its answer.
void run_client(const Address& front, int client, std::atomic<int>& served) {
  for (int i = 0; i < kSessionsEach; ++i) {
    UniqueFd socket = connect_to(front);
    ASSERT_TRUE(socket);
    if (i % 3 == 1) continue;
    send_all(socket, "ping");
    if ((i + client) % 5 == 0) {
      reset_connection(std::move(socket));
      continue;
    }
    std::string answer;
    EXPECT_EQ(receive(socket, 4, answer), ReadEnd::enough);
    EXPECT_EQ(answer, "ping");
    ++served;
  }
}

TEST_F(ProxyThreads, short_sessions_on_several_workers_leave_nothing_behind) {
  EchoServer echo;
  add_backend(echo.address());
  settings.circuit_breaker.is_enabled = true;
  worker_count = 3;
  start();
  std::atomic<int> served{0};
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([&, client] { run_client(front(), client, served); });
  }
  for (int reloads = 0; reloads < 50; ++reloads) {
    reload();
    const int before = served;
    wait_until([&] { return served > before; }, milliseconds(20));
  }
  for (std::thread& client : clients) client.join();
  EXPECT_GT(served, kClients * kSessionsEach / 3);
  records(size_t{kClients} * kSessionsEach);
  stop_accepting();
  EXPECT_TRUE(wait_until([&] { return idle_reports() == worker_count; }));
}

// What somebody reads who looks while the workers count.
class Watcher {
 public:
  explicit Watcher(std::function<void()> look)
      : thread_([this, look = std::move(look)] {
          while (!is_over_) look();
        }) {}
  ~Watcher() {
    is_over_ = true;
    thread_.join();
  }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

 private:
  std::atomic<bool> is_over_{false};
  std::thread thread_;
};

TEST_F(ProxyThreads, counts_of_several_workers_are_exact_and_never_go_back) {
  constexpr uint64_t kSessions = uint64_t{kClients} * kSessionsEach;
  EchoServer echo;
  add_backend(echo.address());
  worker_count = 3;
  start();
  {
    uint64_t moved = 0;
    uint64_t ended = 0;
    const Watcher watcher([&] {
      const uint64_t moved_now = backend().totals().sent;
      const uint64_t ended_now = listener().totals().ended(EndReason::client_closed);
      EXPECT_GE(moved_now, moved);
      EXPECT_GE(ended_now, ended);
      moved = moved_now;
      ended = ended_now;
    });
    std::vector<std::thread> clients;
    for (int client = 0; client < kClients; ++client) {
      clients.emplace_back([this] {
        for (int i = 0; i < kSessionsEach; ++i) {
          const UniqueFd socket = connect_to(front());
          send_all(socket, "ping");
          std::string answer;
          EXPECT_EQ(receive(socket, 4, answer), ReadEnd::enough);
        }
      });
    }
    for (std::thread& client : clients) client.join();
    records(kSessions);
  }
  EXPECT_EQ(backend().totals().received, 4 * kSessions);
  EXPECT_EQ(backend().totals().sent, 4 * kSessions);
  EXPECT_EQ(backend().totals().connect_ms.total(), kSessions);
  EXPECT_EQ(cluster().totals().connect_ms.total(), kSessions);
  const ListenerTotals totals = listener().totals();
  EXPECT_EQ(totals.accepted, kSessions);
  EXPECT_EQ(totals.ended(EndReason::client_closed), kSessions);
  EXPECT_EQ(totals.received.sum, 4 * kSessions);
  EXPECT_EQ(totals.received.total(), kSessions);
  EXPECT_EQ(totals.duration_ms.total(), kSessions);
}

TEST_F(ProxyThreads, many_clients_get_through_a_limit_of_one) {
  EchoServer echo;
  add_backend(echo.address());
  settings.limits.of_cluster = 1;
  settings.pending = {.clients_max = 1000, .timeout = seconds(60)};
  worker_count = 3;
  start();
  std::atomic<int> served{0};
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([&, client] { run_client(front(), client, served); });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_GT(served, kClients * kSessionsEach / 3);
  for (const SessionRecord& record : records(size_t{kClients} * kSessionsEach)) {
    EXPECT_NE(record.reason, EndReason::no_backend);
  }
  EXPECT_TRUE(wait_until([&] { return cluster().pending().waiting() == 0; }));
  EXPECT_EQ(cluster().active_connections(), 0U);
}

TEST_F(ProxyThreads, unix_socket_is_shared_by_the_workers) {
  EchoServer echo;
  add_backend(echo.address());
  worker_count = 3;
  start(unused_abstract_name());
  std::atomic<int> served{0};
  std::vector<std::thread> clients;
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([&, client] { run_client(front(), client, served); });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_GT(served, 4 * kSessionsEach / 3);
  records(size_t{4} * kSessionsEach);
}

}  // namespace
}  // namespace sluice
