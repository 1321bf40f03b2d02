// What a session tells the core of how its backend began: ended before its first byte, or not. Seen
// by the row of early closes that the core keeps.
#include "proxy_rig.h"

namespace sluice {
namespace {

class EarlyClose : public ProxyTest {
 protected:
  void start_with_detector() {
    settings.circuit_breaker.is_enabled = true;
    settings.outlier_detection.is_enabled = true;
    settings.outlier_detection.early_close = {.is_enabled = true, .threshold = 1000};
    listening = listen_on(loopback());
    add_backend(address_of(listening));
    start();
  }
  void open_session() {
    client = connect_client();
    ASSERT_TRUE(client);
    server = accept_from(listening);
  }
  // One session that its backend ends at once; the row is one longer.
  void close_early() {
    const uint32_t before = row();
    open_session();
    server.reset();
    EXPECT_TRUE(wait_until([&] { return row() == before + 1; })) << row();
    end();
  }
  // Both sides go; the row after the session has ended.
  void end() {
    client.reset();
    server.reset();
    records(++sessions);
  }
  uint32_t row() { return backend().outlier_watch()->early_closes.consecutive_failures(); }

  void TearDown() override {
    client.reset();
    server.reset();
    listening.reset();
    ProxyTest::TearDown();
  }

  UniqueFd listening;
  UniqueFd client;
  UniqueFd server;
  size_t sessions = 0;
};

TEST_F(EarlyClose, end_of_stream_before_the_first_byte_is_one) {
  start_with_detector();
  close_early();
  close_early();
  EXPECT_EQ(row(), 2U);
}

TEST_F(EarlyClose, reset_before_the_first_byte_is_one) {
  start_with_detector();
  open_session();
  reset_connection(std::move(server));
  EXPECT_TRUE(wait_until([&] { return row() == 1; }));
}

TEST_F(EarlyClose, bytes_of_the_client_do_not_make_up_for_it) {
  start_with_detector();
  open_session();
  send_all(client, "question");
  std::string bytes;
  receive(server, 8, bytes);
  reset_connection(std::move(server));
  EXPECT_TRUE(wait_until([&] { return row() == 1; }));
}

TEST_F(EarlyClose, single_byte_ends_the_row) {
  start_with_detector();
  close_early();
  close_early();
  open_session();
  send_all(server, "x");
  EXPECT_TRUE(wait_until([&] { return row() == 0; }));
  server.reset();
  end();
  EXPECT_EQ(row(), 0U) << "and its end is not an early one";
}

TEST_F(EarlyClose, byte_together_with_the_end_counts_as_a_byte) {
  start_with_detector();
  close_early();
  open_session();
  send_all(server, "x");
  server.reset();
  end();
  EXPECT_EQ(row(), 0U);
}

TEST_F(EarlyClose, client_that_has_ended_first_is_the_reason) {
  start_with_detector();
  close_early();
  open_session();
  end_stream(client);
  std::string bytes;
  EXPECT_EQ(receive_to_end(server, bytes), ReadEnd::end_of_stream);
  server.reset();
  end();
  EXPECT_EQ(row(), 1U) << "neither one more nor an end of the row";
}

TEST_F(EarlyClose, client_that_was_reset_first_is_the_reason) {
  start_with_detector();
  close_early();
  open_session();
  reset_connection(std::move(client));
  std::string bytes;
  EXPECT_EQ(receive_to_end(server, bytes), ReadEnd::reset);
  end();
  EXPECT_EQ(row(), 1U);
}

TEST_F(EarlyClose, session_that_we_cut_says_nothing) {
  listener_config.max_duration = milliseconds(50);
  start_with_detector();
  open_session();
  EXPECT_EQ(records(++sessions).at(0).reason, EndReason::max_duration);
  EXPECT_EQ(row(), 0U);
}

TEST_F(EarlyClose, nothing_is_kept_while_it_is_off) {
  listening = listen_on(loopback());
  add_backend(address_of(listening));
  start();
  open_session();
  server.reset();
  end();
  EXPECT_EQ(backend().outlier_watch(), nullptr);
}

}  // namespace
}  // namespace sluice
