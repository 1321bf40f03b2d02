// Live sessions as they are told of from outside, and ended one by one.
#include "sluice/proxy/live_session.h"

#include <uv.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <optional>
#include <string_view>
#include <vector>

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
    open_more(count);
  }
  void open_more(size_t count) {
    const size_t all = clients.size() + count;
    while (clients.size() < all) {
      clients.push_back(connect_client());
      servers.push_back(accept_from(listening));
    }
    ASSERT_TRUE(wait_until([&] { return connects(ConnectOutcome::connected) == all; }));
  }
  // One that began in a later millisecond than all before it, and its id.
  SessionId open_younger() {
    const LiveSessions before = list(1);
    const int64_t begun = before.sessions.empty() ? 0 : before.sessions[0].id.started_ms;
    EXPECT_TRUE(wait_until([&] { return to_ms(steady_now().time_since_epoch()) > begun + 1; }));
    open_more(1);
    return list(1).sessions.at(0).id;
  }
  static TimePoint steady_now() { return TimePoint(Duration(uv_hrtime())); }
  std::vector<LiveSessions> list(std::vector<SessionQuery> queries) {
    std::promise<std::vector<LiveSessions>> listed;
    worker().list_sessions(std::move(queries), [&](std::vector<LiveSessions> sessions) {
      listed.set_value(std::move(sessions));
    });
    return listed.get_future().get();
  }
  LiveSessions list(SessionQuery query) { return list(std::vector{std::move(query)}).at(0); }
  LiveSessions list(size_t count_max) { return list(SessionQuery{.count_max = count_max}); }
  static std::vector<SessionId> ids(const LiveSessions& list) {
    std::vector<SessionId> ids;
    for (const LiveSession& session : list.sessions) ids.push_back(session.id);
    return ids;
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

TEST_F(LiveSessionTest, the_youngest_come_first_wherever_another_one_has_made_room) {
  open_sessions(0);
  std::vector<SessionId> opened;
  for (int i = 0; i < 5; ++i) opened.push_back(open_younger());
  EXPECT_TRUE(cut(opened[1]));
  const SessionId in_its_place = open_younger();
  EXPECT_EQ(in_its_place.slot, opened[1].slot);
  EXPECT_FALSE(cut(opened[1])) << "that is another one now";
  EXPECT_EQ(ids(list(100)),
            (std::vector{in_its_place, opened[4], opened[3], opened[2], opened[0]}));
  EXPECT_EQ(ids(list(2)), (std::vector{in_its_place, opened[4]}));
}

TEST_F(LiveSessionTest, more_than_one_turn_s_worth_are_told_of_page_by_page_each_once) {
  constexpr size_t kMany = 2 * SessionListing::kSessionsPerTurnMax + 1;
  constexpr size_t kPage = 97;
  open_sessions(kMany);
  std::vector<SessionId> told;
  std::optional<SessionId> after;
  do {
    const LiveSessions page = list({.count_max = kPage, .after = after});
    EXPECT_EQ(page.total, kMany);
    EXPECT_EQ(page.matching, kMany);
    ASSERT_FALSE(page.sessions.empty());
    for (const SessionId& id : ids(page)) told.push_back(id);
    after = page.reaches_to;
  } while (after);
  EXPECT_EQ(told.size(), kMany);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end(), is_listed_before));
  EXPECT_EQ(std::adjacent_find(told.begin(), told.end()), told.end());
  EXPECT_EQ(told, ids(list(2 * kMany)));
}

TEST_F(LiveSessionTest, a_list_goes_on_behind_one_that_has_ended) {
  open_sessions(0);
  std::vector<SessionId> opened;
  for (int i = 0; i < 3; ++i) opened.push_back(open_younger());
  EXPECT_TRUE(cut(opened[1]));
  EXPECT_EQ(ids(list({.count_max = 5, .after = opened[1]})), std::vector{opened[0]});
}

TEST_F(LiveSessionTest, those_of_a_name_are_found_and_counted) {
  const UniqueFd other = listen_on(loopback());
  add_backend(address_of(other));
  open_sessions(0);
  for (int i = 0; i < 6; ++i) clients.push_back(connect_client());
  ASSERT_TRUE(wait_until([&] {
    return connects(ConnectOutcome::connected, 0) + connects(ConnectOutcome::connected, 1) == 6;
  }));
  const auto found = list({{.count_max = 2, .backend = backend(1).name()},
                           {.count_max = 9, .listener = listener().config().name},
                           {.count_max = 9, .cluster = listener().config().cluster},
                           {.count_max = 9, .backend = "nobody"},
                           {.count_max = 9, .listener = "nobody"},
                           {.count_max = 9, .cluster = "nobody"}});
  ASSERT_EQ(found.size(), 6U);
  EXPECT_EQ(found[0].total, 6U);
  EXPECT_EQ(found[0].matching, 3U);
  ASSERT_EQ(found[0].sessions.size(), 2U);
  EXPECT_EQ(found[0].reaches_to, found[0].sessions[1].id);
  for (const LiveSession& one : found[0].sessions) {
    EXPECT_EQ(one.record.backend.get(), &backend(1));
  }
  EXPECT_EQ(found[1].sessions.size(), 6U);
  EXPECT_FALSE(found[1].reaches_to);
  EXPECT_EQ(found[2].matching, 6U);
  for (size_t i = 3; i < 6; ++i) EXPECT_EQ(found[i].matching, 0U) << i;
}

TEST_F(LiveSessionTest, who_asks_anew_takes_the_place_of_who_is_being_told) {
  open_sessions(SessionListing::kSessionsPerTurnMax + 1);
  std::atomic<bool> is_told = false;
  std::promise<void> done;
  worker().post([&] {
    worker().list_sessions({{.count_max = 1}}, [&](auto&&) { is_told = true; });
    worker().list_sessions({{.count_max = 1}}, [&](auto&&) { done.set_value(); });
  });
  done.get_future().get();
  EXPECT_FALSE(is_told);
  EXPECT_EQ(list(1).total, SessionListing::kSessionsPerTurnMax + 1);
}

TEST(SessionIdTest, reads_back_what_it_writes_and_nothing_else) {
  const SessionId id{.worker = 3, .started_ms = 86'400'123, .slot = 57};
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
