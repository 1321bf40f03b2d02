// Which sessions a request wants to see.
#include "admin/session_query.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

Config some_config() {
  Config config;
  config.listeners.emplace_back().name = "front";
  config.clusters.emplace_back().name = "a/b";
  return config;
}

unsigned status(const std::string& query) {
  const auto read = read_session_query(*parse_target("/api/sessions?" + query), some_config());
  return read ? 200 : read.error().status;
}

TEST(session_query, says_what_was_asked_for) {
  const auto target = parse_target(
      "/api/sessions?limit=7&listener=front&cluster=a%2Fb&backend=%5B::1%5D:80&after=1-22-3");
  const auto query = read_session_query(*target, some_config());
  ASSERT_TRUE(query);
  EXPECT_EQ(*query, (SessionQuery{.count_max = 7,
                                  .listener = "front",
                                  .cluster = "a/b",
                                  .backend = "[::1]:80",
                                  .after = SessionId{.worker = 1, .started_ms = 22, .slot = 3}}));
  const auto any = read_session_query(*parse_target("/api/sessions"), some_config());
  ASSERT_TRUE(any);
  EXPECT_EQ(*any, SessionQuery{.count_max = kSessionsDefault});
}

TEST(session_query, what_cannot_be_is_a_bad_request) {
  for (const std::string query : {"limit=0", "limit=1001", "limit=x", "limit=", "limit=-1",
                                  "after=x", "after=", "cluster=", "listener=", "backend="}) {
    EXPECT_EQ(status(query), 400U) << query;
  }
}

TEST(session_query, a_listener_or_cluster_that_is_not_there_is_not_found_and_any_backend_may_be) {
  EXPECT_EQ(status("listener=x"), 404U);
  EXPECT_EQ(status("cluster=a"), 404U);
  EXPECT_EQ(status("backend=gone"), 200U);
  EXPECT_EQ(status("limit=1000"), 200U);
}

}  // namespace
}  // namespace sluice
