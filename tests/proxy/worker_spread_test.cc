// Clients are shared out over the workers, whoever accepts them.
#include "sluice/proxy/worker_spread.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "echo_server.h"
#include "proxy_rig.h"

namespace sluice {
namespace {

// What each epoll of this process watches, as /proc has it: a session is two sockets of its
// worker's.
std::map<std::string, int> watched_sockets() {
  std::map<std::string, int> counts;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("tfd:")) ++counts[entry.path().filename()];
    }
  }
  return counts;
}

class Spread : public ProxyTest {
 protected:
  void SetUp() override {
    ProxyTest::SetUp();
    add_backend(echo_.address());
    worker_count = 4;
    has_one_acceptor = true;
  }

  void TearDown() override {
    clients_.clear();
    ProxyTest::TearDown();
  }

  // Connected and served, so that each is where it stays.
  void connect(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      clients_.push_back(connect_client());
      std::string answer;
      send_all(clients_.back(), "ping");
      ASSERT_EQ(receive(clients_.back(), 4, answer), ReadEnd::enough);
    }
  }

  // Sessions that each worker has got since, fewest first.
  std::vector<int> new_sessions(const std::map<std::string, int>& before) {
    std::vector<int> counts;
    for (const auto& [epoll, watched] : watched_sockets()) {
      const auto found = before.find(epoll);
      counts.push_back((watched - (found == before.end() ? 0 : found->second)) / 2);
    }
    std::sort(counts.begin(), counts.end(), std::greater<>());
    counts.resize(worker_count);
    std::reverse(counts.begin(), counts.end());
    return counts;
  }

  EchoServer echo_;
  std::vector<UniqueFd> clients_;
};

TEST_F(Spread, sessions_accepted_by_one_worker_are_shared_by_all) {
  start();
  const auto before = watched_sockets();
  connect(16);
  for (const int sessions : new_sessions(before)) {
    EXPECT_GE(sessions, 3);
    EXPECT_LE(sessions, 5);
  }
  connect(184);
  for (const int sessions : new_sessions(before)) {
    EXPECT_GE(sessions, 45);
    EXPECT_LE(sessions, 55);
  }
  clients_.clear();
  EXPECT_TRUE(wait_until([&] { return process_limit->active() == 0; }));
  for (size_t i = 0; i < worker_count; ++i) EXPECT_EQ(spread.sessions(i), 0U);
}

TEST_F(Spread, without_it_they_stay_where_they_were_accepted) {
  is_spread = false;
  start();
  const auto before = watched_sockets();
  connect(16);
  EXPECT_EQ(new_sessions(before).back(), 16);
}

TEST_F(Spread, small_differences_are_left_alone) {
  worker_count = 2;
  start();
  for (uint32_t clients = 1; clients <= 400; ++clients) {
    spread.place(0);
    const uint32_t slack = WorkerSpread::kSlack + spread.sessions(1) / WorkerSpread::kSlackDivisor;
    EXPECT_LE(spread.sessions(0), spread.sessions(1) + slack + 1);
    if (spread.sessions(1) == 0) continue;
    EXPECT_GE(spread.sessions(0) + 1, spread.sessions(1) + slack);
  }
  for (size_t i = 0; i < 2; ++i) {
    while (spread.sessions(i) > 0) spread.leave(i);
  }
}

TEST_F(Spread, clients_under_way_to_another_worker_are_served_by_a_drain_and_cut_by_a_cut) {
  start();
  connect(8);
  // Accepted and handed over while nobody listens any more.
  std::vector<UniqueFd> late;
  for (int i = 0; i < 8; ++i) late.push_back(connect_client());
  stop_accepting();
  EXPECT_EQ(idle_reports(), 0U);
  for (UniqueFd& client : late) {
    std::string answer;
    send_all(client, "ping");
    EXPECT_EQ(receive(client, 4, answer), ReadEnd::enough);
  }
  for (size_t i = 0; i < worker_count; ++i) worker(i).cut_sessions(EndReason::shutdown);
  EXPECT_TRUE(wait_until([&] { return idle_reports() == worker_count; }));
}

TEST_F(Spread, client_handed_over_after_the_cut_is_cut_too) {
  start();
  connect(1);
  for (size_t i = 1; i < worker_count; ++i) worker(i).cut_sessions(EndReason::shutdown);
  // The first worker has one, so at least every other of these goes to somebody else.
  std::vector<UniqueFd> late;
  for (int i = 0; i < 8; ++i) late.push_back(connect_client());
  EXPECT_TRUE(wait_until([&] { return record_count() >= 4; }));
  for (const SessionRecord& record : records(4)) EXPECT_EQ(record.reason, EndReason::shutdown);
}

}  // namespace
}  // namespace sluice
