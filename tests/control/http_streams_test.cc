// Answers without an end: what they say, who may have how many, and how they end.
#include <gtest/gtest.h>

#include <string>

#include "http_server_rig.h"

namespace sluice {
namespace {

TEST_F(HttpServerTest, a_stream_says_what_there_is_and_waits_to_be_woken) {
  limits.sweep_interval = std::chrono::hours(1);  // which would wake it too
  start();
  pieces = {"one ", "two "};
  const UniqueFd first = ask("/stream");
  const UniqueFd second = ask("/stream");
  EXPECT_TRUE(hears(first, "two "));
  EXPECT_TRUE(hears(second, "two "));
  EXPECT_EQ(server().streams(), 2U);
  pieces.emplace_back("three ");
  run_once(loop());
  std::string nothing;
  EXPECT_EQ(receive_some(first, nothing), ReadEnd::nothing_yet);
  server().wake_streams();
  EXPECT_TRUE(hears(first, "three "));
  EXPECT_TRUE(hears(second, "three "));
}

TEST_F(HttpServerTest, streams_of_some_may_be_ended) {
  start();
  pieces = {"hello"};
  const UniqueFd client = ask("/stream");
  EXPECT_TRUE(hears(client, "hello"));
  server().end_streams([](const Address&) { return false; });
  run_once(loop());
  EXPECT_EQ(server().streams(), 1U);
  server().end_streams([](const Address& peer) { return peer.is_loopback(); });
  hear(client);
  EXPECT_TRUE(run_until(loop(), [&] { return server().connections() == 0; }));
}

TEST_F(HttpServerTest, streams_have_a_limit_and_who_has_gone_makes_room) {
  limits.streams_max = 1;
  start();
  pieces = {"hello"};
  UniqueFd first = ask("/stream");
  EXPECT_TRUE(hears(first, "hello"));
  EXPECT_EQ(status(hear(ask("/stream"))), 503U);
  first.reset();
  EXPECT_TRUE(run_until(loop(), [&] { return server().streams() == 0; }));
  const UniqueFd third = ask("/stream");
  EXPECT_TRUE(hears(third, "hello"));
}

TEST_F(HttpServerTest, one_host_gets_its_part_of_the_streams_only) {
  limits.streams_per_ip_max = 1;
  start();
  pieces = {"hello"};
  UniqueFd first = ask("/stream");
  EXPECT_TRUE(hears(first, "hello"));
  const std::string refusal = hear(ask("/stream"));
  EXPECT_EQ(status(refusal), 503U);
  EXPECT_NE(refusal.find("from your address"), std::string::npos) << refusal;
  EXPECT_EQ(status(hear(ask("/now"))), 200U);
  const UniqueFd other = connect_from(Address::ipv4({127, 0, 0, 9}, 0));
  send_all(other, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(hears(other, "hello"));
  first.reset();
  EXPECT_TRUE(run_until(loop(), [&] { return server().streams() == 1; }));
  const UniqueFd third = ask("/stream");
  EXPECT_TRUE(hears(third, "hello"));
}

TEST_F(HttpServerTest, it_is_known_whose_streams_there_are) {
  start();
  pieces = {"hello"};
  const auto are_local = [](const Address& peer) { return peer.is_loopback(); };
  EXPECT_FALSE(server().has_streams(are_local));
  UniqueFd client = ask("/stream");
  EXPECT_TRUE(hears(client, "hello"));
  EXPECT_TRUE(server().has_streams(are_local));
  EXPECT_FALSE(server().has_streams([](const Address&) { return false; }));
  client.reset();
  EXPECT_TRUE(run_until(loop(), [&] { return !server().has_streams(are_local); }));
}

}  // namespace
}  // namespace sluice
