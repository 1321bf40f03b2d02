// Live sessions as they are told of from outside, and ended one by one.
#include "sluice/proxy/live_session.h"

#include <algorithm>
#include <future>
#include <string_view>

#include "proxy_rig.h"

namespace sluice {
namespace {

class LiveSessionTest : public ProxyTest {
 protected:
  void TearDown() override {
    clients.clear();
    servers.clear();
    listening.reset();
    ProxyTest::TearDown();
  }
  void open_sessions(size_t count) {
    listening = listen_on(loopback());
    add_backend(address_of(listening));
    start();
    for (size_t i = 0; i < count; ++i) {
      clients.push_back(connect_client());
      servers.push_back(accept_from(listening));
    }
    ASSERT_TRUE(wait_until([&] { return connects(ConnectOutcome::connected) == count; }));
  }
  LiveSessions list(size_t count_max) {
    std::promise<LiveSessions> listed;
    worker().list_sessions(count_max,
                           [&](LiveSessions sessions) { listed.set_value(std::move(sessions)); });
    return listed.get_future().get();
  }
  bool cut(const SessionId& id) {
    std::promise<bool> done;
    worker().cut_session(id, EndReason::shutdown, [&](bool is_there) { done.set_value(is_there); });
    return done.get_future().get();
  }

  UniqueFd listening;
  std::vector<UniqueFd> clients;
  std::vector<UniqueFd> servers;
};

TEST_F(LiveSessionTest, are_told_of_with_backend_and_state_and_counted) {
  open_sessions(5);
  const LiveSessions all = list(100);
  EXPECT_EQ(all.total, 5U);
  ASSERT_EQ(all.sessions.size(), 5U);
  for (const LiveSession& session : all.sessions) {
    EXPECT_EQ(session.state, "relaying");
    EXPECT_EQ(session.record.backend.get(), &backend());
    EXPECT_EQ(session.record.attempts, 1U);
    const auto same =
        std::count_if(all.sessions.begin(), all.sessions.end(),
                      [&](const LiveSession& other) { return other.id == session.id; });
    EXPECT_EQ(same, 1);
  }
  const LiveSessions some = list(2);
  EXPECT_EQ(some.total, 5U);
  EXPECT_EQ(some.sessions.size(), 2U);
  EXPECT_EQ(list(0).sessions.size(), 0U);
}

TEST_F(LiveSessionTest, one_is_ended_with_its_reason_and_the_others_are_left_alone) {
  open_sessions(3);
  const SessionId id = list(100).sessions.at(1).id;
  EXPECT_TRUE(cut(id));
  EXPECT_EQ(records(1).at(0).reason, EndReason::shutdown);
  EXPECT_FALSE(cut(id));
  const LiveSessions left = list(100);
  EXPECT_EQ(left.total, 2U);
  EXPECT_TRUE(std::none_of(left.sessions.begin(), left.sessions.end(),
                           [&](const LiveSession& session) { return session.id == id; }));
}

TEST(SessionIdTest, reads_back_what_it_writes_and_nothing_else) {
  const SessionId id{.worker = 3, .started_ms = 86'400'123, .client_fd = 57};
  EXPECT_EQ(id.to_string(), "3-86400123-57");
  EXPECT_EQ(SessionId::parse("3-86400123-57"), id);
  for (const std::string_view text :
       {"", "3", "3-4", "3-4-", "3-4-5-", "3-4-5-6", "03-4-5", "3-4-x", "3--4-5", " 3-4-5",
        "3-4-5 ", "3-4-99999999999", "+3-4-5"}) {
    EXPECT_FALSE(SessionId::parse(text)) << text;
  }
}

}  // namespace
}  // namespace sluice
