// What the workers count, against what the test did.
#include <cerrno>
#include <thread>

#include "session_test.h"

namespace sluice {
namespace {

class Counting : public SessionTest {
 protected:
  // After the sessions have ended.
  void expect_ends(EndReason reason, uint64_t count) {
    const ListenerTotals totals = listener().totals();
    EXPECT_EQ(totals.ended(reason), count) << name(reason);
    EXPECT_EQ(totals.accepted, count);
    EXPECT_EQ(totals.active(), 0U);
  }
};

TEST_F(Counting, bytes_are_counted_while_the_session_goes_on) {
  open_session();
  send_all(client, "question");
  EXPECT_EQ(received(server, 8), "question");
  send_all(server, "answer");
  EXPECT_EQ(received(client, 6), "answer");
  // Counted after they were handed on.
  EXPECT_TRUE(wait_until([&] { return backend().totals().sent == 6; }));
  EXPECT_EQ(backend().totals().received, 8U);
  const ListenerTotals open = listener().totals();
  EXPECT_EQ(open.accepted, 1U);
  EXPECT_EQ(open.active(), 1U);
  EXPECT_EQ(open.received.total(), 0U) << "that one is for sessions that have ended";

  client.reset();
  server.reset();
  records(1);
  expect_ends(EndReason::client_closed, 1);
  const ListenerTotals ended = listener().totals();
  EXPECT_EQ(ended.received.sum, 8U);
  EXPECT_EQ(ended.sent.sum, 6U);
  EXPECT_EQ(ended.duration_ms.total(), 1U);
  EXPECT_EQ(backend().totals().connect_ms.total(), 1U);
  EXPECT_EQ(cluster().totals().connect_ms.total(), 1U);
}

TEST_F(Counting, spliced_bytes_are_counted_too) {
  open_session();
  const std::string bytes = pattern(8 << 20);
  std::thread sender([&] { send_all(client, bytes); });
  EXPECT_EQ(received(server, bytes.size()), bytes);
  sender.join();
  EXPECT_TRUE(wait_until([&] { return backend().totals().received == bytes.size(); }));
}

TEST_F(Counting, a_client_that_finds_nobody_is_accepted_and_turned_away) {
  settings.connect_attempts = 3;
  const RefusingPort first = refusing_port(), second = refusing_port();
  add_backend(first.address);
  add_backend(second.address);
  start();
  const UniqueFd lost = connect_client();
  EXPECT_EQ(end_of(lost), ReadEnd::reset);
  EXPECT_EQ(records(1).at(0).attempts, 3U);
  expect_ends(EndReason::connect_failed, 1);
  EXPECT_EQ(cluster().totals().retries, 2U);
  EXPECT_EQ(cluster().totals().connect_ms.total(), 0U);
}

TEST_F(Counting, a_pause_at_a_limit_is_counted_once_however_often_it_is_tried_again) {
  const UniqueFd listening = listen_on(loopback());
  add_backend(address_of(listening));
  listener_config.max_connections = 1;
  start();
  UniqueFd first = connect_client();
  const UniqueFd served = accept_from(listening);
  const UniqueFd second = connect_client(), third = connect_client();
  const auto pauses = [&] {
    return listener().totals().pauses[static_cast<size_t>(PauseCause::listener_limit)];
  };
  EXPECT_TRUE(wait_until([&] { return pauses() == 1; }));
  // It looks again ten times a second.
  EXPECT_FALSE(wait_until([&] { return pauses() != 1; }, milliseconds(500)));
  reset_connection(std::move(first));
  EXPECT_TRUE(has_pending_client(listening, 5000));
  EXPECT_TRUE(wait_until([&] { return pauses() == 2; })) << "the third waits now";
  EXPECT_EQ(listener().totals().accepted, 2U);
}

TEST_F(Counting, what_we_lack_ourselves_is_counted_by_errno) {
  start();
  worker().post([&target = worker()] {
    target.note_local_error(EMFILE);
    target.note_local_error(EMFILE);
    target.note_local_error(99999);
  });
  EXPECT_TRUE(wait_until([&] { return worker().tally().local_errors[EMFILE].value() == 2; }));
}

}  // namespace
}  // namespace sluice
