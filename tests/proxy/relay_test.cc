// What a session does once it is connected: bytes, ends of stream, resets.
#include <sys/socket.h>

#include <fstream>
#include <thread>

#include "echo_server.h"
#include "session_test.h"

namespace sluice {
namespace {

using Relay = SessionTest;

TEST_F(Relay, carries_bytes_both_ways_and_counts_them) {
  open_session();
  send_all(client, "question");
  EXPECT_EQ(received(server, 8), "question");
  send_all(server, "answer");
  EXPECT_EQ(received(client, 6), "answer");
  client.reset();
  EXPECT_EQ(end_of(server), ReadEnd::end_of_stream);
  server.reset();
  const SessionRecord record = this->record();
  EXPECT_EQ(record.reason, EndReason::client_closed);
  EXPECT_EQ(record.received, 8U);
  EXPECT_EQ(record.sent, 6U);
  EXPECT_EQ(record.attempts, 1U);
  EXPECT_TRUE(record.connect_time);
  EXPECT_EQ(record.backend.get(), &backend());
  EXPECT_EQ(record.listener->config().name, "front");
  EXPECT_EQ(record.client.to_string().substr(0, 10), "127.0.0.1:");
}

struct Ends {
  Address front;
  Address back;
};

std::vector<Ends> all_kinds_of_ends() {
  std::vector<Ends> all;
  for (const Address& front : {loopback(), ipv6_loopback(), unused_abstract_name()}) {
    for (const Address& back : {loopback(), ipv6_loopback(), unused_abstract_name()}) {
      all.push_back({front, back});
    }
  }
  return all;
}

class AnyEnds : public ProxyTest, public testing::WithParamInterface<Ends> {};

TEST_P(AnyEnds, carry_bytes_and_ends_of_stream) {
  const UniqueFd listening = listen_on(GetParam().back);
  add_backend(address_of(listening));
  start(GetParam().front);
  {
    const UniqueFd client = connect_client();
    const UniqueFd server = accept_from(listening);
    const std::string bytes = pattern(1'000'000);
    std::thread sender([&] {
      send_all(client, bytes);
      end_stream(client);
    });
    std::string arrived;
    EXPECT_EQ(receive_to_end(server, arrived), ReadEnd::end_of_stream);
    sender.join();
    EXPECT_TRUE(arrived == bytes);
    send_all(server, "done");
    EXPECT_EQ(received(client, 4), "done");
  }
  EXPECT_EQ(records(1).at(0).reason, EndReason::client_closed);
}

INSTANTIATE_TEST_SUITE_P(Kinds, AnyEnds, testing::ValuesIn(all_kinds_of_ends()));

TEST_F(Relay, client_that_half_closes_gets_its_answer) {
  open_session();
  send_all(client, "question");
  end_stream(client);
  std::string question;
  EXPECT_EQ(receive_to_end(server, question), ReadEnd::end_of_stream);
  EXPECT_EQ(question, "question");
  const std::string answer = pattern(500'000);
  std::thread sender([&] {
    send_all(server, answer);
    server.reset();
  });
  std::string got;
  EXPECT_EQ(receive_to_end(client, got), ReadEnd::end_of_stream);
  sender.join();
  EXPECT_EQ(got, answer);
  EXPECT_EQ(reason(), EndReason::client_closed);
}

TEST_F(Relay, backend_that_half_closes_still_hears_its_client) {
  open_session();
  send_all(server, "greeting");
  end_stream(server);
  std::string greeting;
  EXPECT_EQ(receive_to_end(client, greeting), ReadEnd::end_of_stream);
  EXPECT_EQ(greeting, "greeting");
  send_all(client, "upload");
  EXPECT_EQ(received(server, 6), "upload");
  client.reset();
  EXPECT_EQ(end_of(server), ReadEnd::end_of_stream);
  EXPECT_EQ(reason(), EndReason::backend_closed);
}

TEST_F(Relay, bytes_before_a_clients_reset_arrive_and_then_the_reset) {
  open_session();
  const std::string bytes = pattern(50'000);
  send_all(client, bytes);
  reset_connection(std::move(client));
  std::string arrived;
  EXPECT_EQ(receive_to_end(server, arrived), ReadEnd::reset);
  EXPECT_EQ(arrived, bytes);
  EXPECT_EQ(reason(), EndReason::client_reset);
}

TEST_F(Relay, final_message_before_a_backends_reset_arrives_and_then_the_reset) {
  open_session();
  send_all(client, "request that is never read");
  ASSERT_EQ(received(server, 7), "request");
  send_all(server, "too many connections");
  reset_connection(std::move(server));
  std::string arrived;
  EXPECT_EQ(receive_to_end(client, arrived), ReadEnd::reset);
  EXPECT_EQ(arrived, "too many connections");
  EXPECT_EQ(reason(), EndReason::backend_reset);
}

TEST_F(Relay, reset_after_an_end_of_stream_is_a_reset_all_the_same) {
  open_session();
  end_stream(client);
  EXPECT_EQ(end_of(server), ReadEnd::end_of_stream);
  reset_connection(std::move(client));
  EXPECT_EQ(reason(), EndReason::client_reset);
  // After a FIN the kernel calls a reset EPIPE, and recv() says nothing of it.
  pollfd broken{.fd = server.get(), .events = 0, .revents = 0};
  ASSERT_EQ(::poll(&broken, 1, 5000), 1);
  EXPECT_NE(broken.revents & POLLERR, 0);
}

TEST_F(Relay, backends_reset_after_an_end_of_stream_is_a_reset_all_the_same) {
  open_session();
  end_stream(server);
  EXPECT_EQ(end_of(client), ReadEnd::end_of_stream);
  reset_connection(std::move(server));
  EXPECT_EQ(reason(), EndReason::backend_reset);
}

TEST_F(Relay, reset_behind_a_stalled_reader_is_carried_over_within_a_second) {
  open_session();
  const std::string sent = fill(client);
  const auto reset_at = std::chrono::steady_clock::now();
  reset_connection(std::move(client));
  EXPECT_EQ(reason(), EndReason::client_reset);
  EXPECT_LT(std::chrono::steady_clock::now() - reset_at, seconds(3));
  std::string arrived;
  EXPECT_EQ(receive_to_end(server, arrived), ReadEnd::reset);
  EXPECT_EQ(arrived, sent.substr(0, arrived.size())) << "what arrived is what was sent first";
}

TEST_F(Relay, reset_by_a_backend_whose_client_reads_slowly_loses_nothing_it_can_deliver) {
  open_session();
  const std::string bytes = pattern(3 << 20);
  std::thread sender([&] {
    send_all(server, bytes);
    // Delivered to the proxy's kernel, so that a reset does not drop it here.
    EXPECT_TRUE(wait_until([&] { return backend().active_connections() == 1; }));
    reset_connection(std::move(server));
  });
  std::string arrived;
  EXPECT_EQ(receive_to_end(client, arrived), ReadEnd::reset);
  sender.join();
  EXPECT_EQ(arrived, bytes.substr(0, arrived.size()));
  EXPECT_GT(arrived.size(), 0U);
}

TEST_F(Relay, urgent_byte_stays_in_line) {
  open_session();
  send_all(client, "before ");
  ASSERT_EQ(::send(client.get(), "!", 1, MSG_OOB), 1);
  send_all(client, " after");
  EXPECT_EQ(received(server, 14), "before ! after");
  ASSERT_EQ(::send(server.get(), "?", 1, MSG_OOB), 1);
  send_all(server, " back");
  EXPECT_EQ(received(client, 6), "? back");
}

// The third value of net.ipv4.tcp_rmem or tcp_wmem: what a socket's buffer may grow to.
size_t buffer_bytes_max(const char* file) {
  size_t least = 0;
  size_t usual = 0;
  size_t most = 0;
  std::ifstream(file) >> least >> usual >> most;
  return most;
}

TEST_F(Relay, reader_that_stops_stops_its_writer_and_loses_nothing) {
  open_session();
  const std::string sent = fill(client);
  const size_t connection = buffer_bytes_max("/proc/sys/net/ipv4/tcp_rmem") +
                            buffer_bytes_max("/proc/sys/net/ipv4/tcp_wmem");
  EXPECT_LT(sent.size(), 2 * connection + PipePool::kPipeBytes)
      << "bounded: two connections' buffers and a pipe";
  EXPECT_EQ(process_limit->active(), 1U);
  end_stream(client);
  std::string arrived;
  EXPECT_EQ(receive_to_end(server, arrived), ReadEnd::end_of_stream);
  EXPECT_EQ(arrived.size(), sent.size());
  EXPECT_EQ(arrived, sent);
}

class Bulk : public ProxyTest, public testing::WithParamInterface<SpliceMode> {};

TEST_P(Bulk, is_carried_unchanged_both_ways_at_once) {
  options.splice = GetParam();
  EchoServer echo;
  add_backend(echo.address());
  start();
  const std::string bytes = pattern(32 << 20, 5);
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back([&] {
      const UniqueFd client = connect_client();
      std::thread sender([&] {
        send_all(client, bytes);
        end_stream(client);
      });
      std::string arrived;
      EXPECT_EQ(receive_to_end(client, arrived), ReadEnd::end_of_stream);
      sender.join();
      EXPECT_TRUE(arrived == bytes);
    });
  }
  for (std::thread& client : clients) client.join();
  for (const SessionRecord& record : records(3)) {
    EXPECT_EQ(record.received, bytes.size());
    EXPECT_EQ(record.sent, bytes.size());
    EXPECT_EQ(record.reason, EndReason::client_closed);
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, Bulk, testing::Values(SpliceMode::automatic, SpliceMode::off),
                         [](const auto& instance) {
                           return instance.param == SpliceMode::off ? "Copy" : "Splice";
                         });
TEST_F(ProxyTest, one_byte_writes_arrive_in_order) {
  EchoServer echo;
  add_backend(echo.address());
  start();
  const UniqueFd client = connect_client();
  const std::string bytes = pattern(5'000);
  std::thread sender([&] {
    for (const char byte : bytes) send_all(client, std::string_view(&byte, 1));
    end_stream(client);
  });
  std::string arrived;
  EXPECT_EQ(receive_to_end(client, arrived), ReadEnd::end_of_stream);
  sender.join();
  EXPECT_EQ(arrived, bytes);
}

}  // namespace
}  // namespace sluice
