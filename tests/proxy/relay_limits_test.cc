// How a connected session is ended by time, by a peer that is gone, or from outside.
#include <thread>

#include "session_test.h"

namespace sluice {
namespace {

using RelayLimits = SessionTest;

TEST_F(RelayLimits, idle_session_is_ended_and_not_before_its_time) {
  listener_config.idle_timeout = milliseconds(600);
  open_session();
  const auto began = std::chrono::steady_clock::now();
  // A byte now and then, either way, keeps it.
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(wait_until([&] { return record_count() > 0; }, milliseconds(300)));
    send_all(i % 2 == 0 ? client : server, "x");
    received(i % 2 == 0 ? server : client, 1);
  }
  EXPECT_EQ(reason(), EndReason::idle_timeout);
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(4 * 300 + 600));
  EXPECT_EQ(end_of(client), ReadEnd::end_of_stream);
  EXPECT_EQ(end_of(server), ReadEnd::end_of_stream);
}

TEST_F(RelayLimits, idle_session_stays_when_the_timeout_is_off) {
  listener_config.idle_timeout = std::nullopt;
  open_session();
  EXPECT_FALSE(wait_until([&] { return record_count() > 0; }, milliseconds(900)));
  send_all(client, "still here");
  EXPECT_EQ(received(server, 10), "still here");
}

TEST_F(RelayLimits, half_closed_session_is_ended_sooner) {
  listener_config.half_close_timeout = milliseconds(400);
  open_session();
  end_stream(client);
  EXPECT_EQ(end_of(server), ReadEnd::end_of_stream);
  EXPECT_EQ(reason(), EndReason::half_close_timeout);
}

TEST_F(RelayLimits, half_close_timeout_counts_from_the_half_close) {
  listener_config.half_close_timeout = milliseconds(800);
  open_session();
  // Idle for longer than that before it.
  EXPECT_FALSE(wait_until([&] { return record_count() > 0; }, milliseconds(1200)));
  const auto closed_at = std::chrono::steady_clock::now();
  end_stream(client);
  EXPECT_EQ(end_of(server), ReadEnd::end_of_stream);
  EXPECT_EQ(reason(), EndReason::half_close_timeout);
  EXPECT_GE(std::chrono::steady_clock::now() - closed_at, milliseconds(800));
}

TEST_F(RelayLimits, longest_life_ends_a_busy_session_with_a_reset) {
  listener_config.max_duration = milliseconds(700);
  open_session();
  const auto began = std::chrono::steady_clock::now();
  while (record_count() == 0) {
    ASSERT_LT(std::chrono::steady_clock::now() - began, seconds(10));
    send_some(client, "x");
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_EQ(reason(), EndReason::max_duration);
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(690));
  std::string rest;
  EXPECT_EQ(receive_to_end(server, rest), ReadEnd::reset);
  EXPECT_GT(rest.size(), 1U) << "it was busy";
}
TEST_F(RelayLimits, peer_that_is_gone_without_a_word_is_found) {
  listener_config.tcp.dead_peer_timeout = seconds(1);
  backend_tcp.dead_peer_timeout = std::nullopt;
  open_session();
  play_dead(client);
  send_all(server, "anybody there?");
  const auto sent_at = std::chrono::steady_clock::now();
  EXPECT_EQ(end_of(server), ReadEnd::reset);
  EXPECT_GE(std::chrono::steady_clock::now() - sent_at, seconds(1));
  EXPECT_LE(std::chrono::steady_clock::now() - sent_at, seconds(4));
  EXPECT_EQ(reason(), EndReason::client_reset);
}

TEST_F(RelayLimits, peer_that_is_gone_stays_unfound_when_nobody_looks) {
  listener_config.tcp.dead_peer_timeout = std::nullopt;
  open_session();
  play_dead(client);
  send_all(server, "anybody there?");
  EXPECT_FALSE(wait_until([&] { return record_count() > 0; }, seconds(2)));
}

TEST_F(RelayLimits, slow_reader_is_not_taken_for_dead) {
  listener_config.tcp.dead_peer_timeout = seconds(1);
  backend_tcp.dead_peer_timeout = seconds(1);
  open_session();
  const std::string sent = fill(server);
  EXPECT_FALSE(wait_until([&] { return record_count() > 0; }, seconds(4)));
  end_stream(server);
  std::string arrived;
  EXPECT_EQ(receive_to_end(client, arrived), ReadEnd::end_of_stream);
  EXPECT_TRUE(arrived == sent);
}

TEST_F(RelayLimits, session_cut_from_outside_is_reset_on_both_sides) {
  open_session();
  send_all(client, "x");
  EXPECT_EQ(received(server, 1), "x");
  worker().cut_sessions(EndReason::draining);
  EXPECT_EQ(end_of(client), ReadEnd::reset);
  EXPECT_EQ(end_of(server), ReadEnd::reset);
  EXPECT_EQ(reason(), EndReason::draining);
}

}  // namespace
}  // namespace sluice
