// A session before it is relaying: picking, connecting, trying again, giving up.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <optional>
#include <thread>

#include "proxy_rig.h"
#include "sluice/net/socket_address.h"

namespace sluice {
namespace {

// A unix socket whose backlog is full until make_room().
class FullUnixBackend {
 public:
  FullUnixBackend() : address_(unused_abstract_name()), listening_(listen_on(address_, 0)) {
    queued_.push_back(connect_to(address_));
  }
  const Address& address() const { return address_; }
  void make_room() { accepted_.push_back(accept_from(listening_)); }
  UniqueFd accept() { return accept_from(listening_); }

 private:
  Address address_;
  UniqueFd listening_;
  std::vector<UniqueFd> queued_;
  std::vector<UniqueFd> accepted_;
};

class Connecting : public ProxyTest {
 protected:
  ReadEnd end_of_client(const UniqueFd& client) {
    std::string nothing;
    return receive_to_end(client, nothing);
  }
  SessionRecord record() { return records(1).at(0); }
};

TEST_F(Connecting, client_is_reset_at_once_when_there_is_no_backend) {
  start();
  const auto began = std::chrono::steady_clock::now();
  const UniqueFd client = connect_client();
  EXPECT_EQ(end_of_client(client), ReadEnd::reset);
  EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(500));
  EXPECT_EQ(record().reason, EndReason::no_backend);
  EXPECT_EQ(record().attempts, 0U);
  EXPECT_FALSE(record().backend);
  EXPECT_FALSE(record().connect_time);
}

TEST_F(Connecting, client_is_closed_when_that_was_asked_for) {
  listener_config.on_unavailable = OnUnavailable::close;
  start();
  const UniqueFd client = connect_client();
  EXPECT_EQ(end_of_client(client), ReadEnd::end_of_stream);
}

TEST_F(Connecting, refused_client_is_served_by_another_backend) {
  const RefusingPort dead = refusing_port();
  const UniqueFd live = listen_on(loopback());
  add_backend(dead.address, 0);
  add_backend(address_of(live), 1);
  settings.circuit_breaker.is_enabled = true;
  settings.circuit_breaker.failure_threshold = 1;
  start();
  {
    const UniqueFd client = connect_client();
    send_all(client, "hello");  // not lost with the failed attempt
    const UniqueFd server = accept_from(live);
    std::string arrived;
    EXPECT_EQ(receive(server, 5, arrived), ReadEnd::enough);
    EXPECT_EQ(arrived, "hello");
  }
  EXPECT_EQ(record().attempts, 2U);
  EXPECT_EQ(record().backend.get(), &backend(1));
  EXPECT_EQ(connects(ConnectOutcome::refused, 0), 1U);
  EXPECT_EQ(connects(ConnectOutcome::connected, 1), 1U);
  EXPECT_EQ(backend(0).breaker().opens(), 1U);
}

TEST_F(Connecting, client_is_refused_when_all_attempts_failed) {
  const RefusingPort dead = refusing_port();
  add_backend(dead.address);
  settings.connect_attempts = 3;
  start();
  const UniqueFd client = connect_client();
  EXPECT_EQ(end_of_client(client), ReadEnd::reset);
  EXPECT_EQ(record().reason, EndReason::connect_failed);
  EXPECT_EQ(record().attempts, 3U);
  EXPECT_EQ(record().backend.get(), &backend());
  EXPECT_EQ(connects(ConnectOutcome::refused), 3U);
}

TEST_F(Connecting, missing_unix_backend_is_refused_and_another_tried) {
  const UniqueFd live = listen_on(unused_abstract_name());
  add_backend(unused_abstract_name(), 0);
  add_backend(address_of(live), 1);
  start();
  const UniqueFd client = connect_client();
  const UniqueFd server = accept_from(live);
  EXPECT_EQ(connects(ConnectOutcome::refused, 0), 1U);
}

TEST_F(Connecting, hung_backend_times_out_and_another_is_tried) {
  const HungBackend hung;
  const UniqueFd live = listen_on(loopback());
  add_backend(hung.address(), 0);
  add_backend(address_of(live), 1);
  settings.connect_timeout = milliseconds(300);
  start();
  const auto began = std::chrono::steady_clock::now();
  const UniqueFd client = connect_client();
  const UniqueFd server = accept_from(live);
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(290));
  EXPECT_EQ(connects(ConnectOutcome::timeout, 0), 1U);
}

TEST_F(Connecting, attempt_cut_short_by_the_deadline_is_abandoned_not_failed) {
  const HungBackend hung;
  add_backend(hung.address());
  settings.connect_timeout = seconds(10);
  settings.connect_deadline = milliseconds(400);
  settings.circuit_breaker.is_enabled = true;
  settings.circuit_breaker.failure_threshold = 1;
  start();
  const UniqueFd client = connect_client();
  EXPECT_EQ(end_of_client(client), ReadEnd::reset);
  EXPECT_EQ(record().reason, EndReason::connect_failed);
  EXPECT_EQ(record().attempts, 1U);
  EXPECT_EQ(connects(ConnectOutcome::abandoned), 1U);
  EXPECT_EQ(connects(ConnectOutcome::timeout), 0U);
  EXPECT_EQ(backend().breaker().opens(), 0U);
}

TEST_F(Connecting, connect_runs_to_its_verdict_when_the_client_has_gone) {
  const HungBackend hung;
  add_backend(hung.address());
  settings.connect_timeout = milliseconds(500);
  settings.circuit_breaker.is_enabled = true;
  settings.circuit_breaker.failure_threshold = 1;
  start();
  reset_connection(connect_client());
  EXPECT_EQ(record().reason, EndReason::client_reset);
  EXPECT_EQ(record().attempts, 1U) << "no further attempt for nobody";
  EXPECT_EQ(connects(ConnectOutcome::timeout), 1U);
  EXPECT_EQ(backend().breaker().opens(), 1U);
}

TEST_F(Connecting, reset_after_a_half_close_is_a_cancellation_too) {
  const HungBackend hung;
  add_backend(hung.address());
  settings.connect_timeout = milliseconds(500);
  start();
  UniqueFd client = connect_client();
  end_stream(client);
  ASSERT_TRUE(wait_until([&] { return backend().active_connections() == 1; }));
  reset_connection(std::move(client));
  EXPECT_EQ(record().reason, EndReason::client_reset);
  EXPECT_EQ(record().attempts, 1U);
}

TEST_F(Connecting, half_close_is_no_cancellation) {
  FullUnixBackend backend_socket;
  add_backend(backend_socket.address());
  start();
  const UniqueFd client = connect_client();
  send_all(client, "question");
  end_stream(client);
  backend_socket.make_room();
  const UniqueFd server = backend_socket.accept();
  std::string question;
  EXPECT_EQ(receive_to_end(server, question), ReadEnd::end_of_stream);
  EXPECT_EQ(question, "question");
  send_all(server, "answer");
  std::string answer;
  EXPECT_EQ(receive(client, 6, answer), ReadEnd::enough);
}

TEST_F(Connecting, full_unix_backlog_is_waited_for) {
  FullUnixBackend backend_socket;
  add_backend(backend_socket.address());
  start();
  const UniqueFd client = connect_client();
  send_all(client, "hello");
  EXPECT_FALSE(wait_until([&] { return record_count() > 0; }, milliseconds(500)));
  EXPECT_EQ(connects(ConnectOutcome::connected), 0U);
  backend_socket.make_room();
  const UniqueFd server = backend_socket.accept();
  std::string arrived;
  EXPECT_EQ(receive(server, 5, arrived), ReadEnd::enough);
  send_all(server, "back");
  arrived.clear();
  EXPECT_EQ(receive(client, 4, arrived), ReadEnd::enough);
  EXPECT_EQ(connects(ConnectOutcome::connected), 1U);
}

TEST_F(Connecting, unix_backlog_that_stays_full_times_out) {
  FullUnixBackend backend_socket;
  add_backend(backend_socket.address());
  settings.connect_timeout = milliseconds(400);
  settings.connect_attempts = 1;
  start();
  const UniqueFd client = connect_client();
  EXPECT_EQ(end_of_client(client), ReadEnd::reset);
  EXPECT_EQ(connects(ConnectOutcome::timeout), 1U);
  EXPECT_EQ(record().reason, EndReason::connect_failed);
}

TEST_F(Connecting, reset_right_after_the_message_reaches_the_client) {
  const UniqueFd listening = listen_on(loopback());
  add_backend(address_of(listening));
  start();
  for (int i = 0; i < 50; ++i) {
    const UniqueFd client = connect_client();
    UniqueFd server = accept_from(listening);
    send_all(server, "too many connections");
    reset_connection(std::move(server));
    std::string arrived;
    EXPECT_EQ(receive_to_end(client, arrived), ReadEnd::reset);
    EXPECT_EQ(arrived, "too many connections");
  }
}

TEST_F(Connecting, backend_that_closes_at_once_was_connected) {
  const UniqueFd listening = listen_on(unused_abstract_name());
  add_backend(address_of(listening));
  settings.connect_timeout = seconds(5);
  start();
  const UniqueFd client = connect_client();
  send_all(accept_from(listening), "bye");
  std::string arrived;
  EXPECT_EQ(receive_to_end(client, arrived), ReadEnd::end_of_stream);
  EXPECT_EQ(arrived, "bye");
  EXPECT_EQ(connects(ConnectOutcome::connected), 1U);
}

TEST_F(Connecting, session_cut_while_connecting_gives_its_permit_back) {
  const HungBackend hung;
  add_backend(hung.address());
  start();
  const UniqueFd client = connect_client();
  ASSERT_TRUE(wait_until([&] { return backend().active_connections() == 1; }));
  worker().cut_sessions(EndReason::shutdown);
  EXPECT_EQ(end_of_client(client), ReadEnd::reset);
  EXPECT_EQ(record().reason, EndReason::shutdown);
  EXPECT_EQ(connects(ConnectOutcome::abandoned), 1U);
}

TEST_F(Connecting, lack_of_descriptors_is_nobodys_fault_and_passes) {
  const UniqueFd live = listen_on(loopback());
  add_backend(address_of(live));
  settings.circuit_breaker.is_enabled = true;
  settings.circuit_breaker.failure_threshold = 1;
  start();
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  const UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  set_time_limit(client.get(), 20);
  {
    // Room for the client's descriptor, none for the backend's.
    const UniqueFd next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const rlimit tight{.rlim_cur = static_cast<rlim_t>(next.get()) + 1, .rlim_max = usual.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  }
  const SocketAddress where(front());
  ASSERT_EQ(::connect(client.get(), where.data(), where.size()), 0);
  EXPECT_TRUE(wait_until([&] { return notices().find("open files") != std::string::npos; }));
  EXPECT_TRUE(wait_until([&] { return connects(ConnectOutcome::local_error) >= 2; }));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
  const UniqueFd server = accept_from(live);
  EXPECT_TRUE(server);
  EXPECT_EQ(backend().breaker().opens(), 0U);
  // Accepting goes on too.
  const UniqueFd another = connect_client();
  EXPECT_TRUE(accept_from(live));
}

TEST_F(Connecting, retry_that_waits_for_a_descriptor_is_one_retry_of_the_budget) {
  const HungBackend hung;
  const UniqueFd live = listen_on(loopback());
  add_backend(hung.address(), 0);
  add_backend(address_of(live), 1);
  settings.connect_timeout = milliseconds(500);
  settings.retry_budget = {.is_enabled = true, .percent = 0, .min = 1};
  start();
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  const size_t before = count_open_files();
  const UniqueFd client = connect_client();
  // The client's two ends and the attempt on the first backend.
  ASSERT_TRUE(wait_until([&] { return count_open_files() == before + 3; }));
  const rlimit none{.rlim_cur = 3, .rlim_max = usual.rlim_max};  // all of them are in use
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_TRUE(wait_until([&] { return connects(ConnectOutcome::local_error, 1) >= 3; }));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
  EXPECT_TRUE(accept_from(live));
  EXPECT_EQ(connects(ConnectOutcome::timeout, 0), 1U);
}

TEST_F(Connecting, address_that_can_never_be_connected_to_pauses_nobody) {
  // A link-local address without an interface: EINVAL, today and tomorrow.
  std::array<uint8_t, 16> link_local{0xfe, 0x80};
  link_local.back() = 1;
  const UniqueFd live = listen_on(loopback());
  add_backend(Address::ipv6(link_local, 80), 0);
  add_backend(address_of(live), 1);
  start();
  const auto began = std::chrono::steady_clock::now();
  const UniqueFd client = connect_client();
  const UniqueFd server = accept_from(live);
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(2));
  EXPECT_EQ(connects(ConnectOutcome::local_error, 0), 1U);
  EXPECT_EQ(notices().find("paused"), std::string::npos);
}

}  // namespace
}  // namespace sluice
