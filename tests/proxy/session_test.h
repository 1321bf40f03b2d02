// One session, both of whose ends the test holds.
#pragma once

#include <poll.h>

#include <string>

#include "proxy_rig.h"

namespace sluice {

class SessionTest : public ProxyTest {
 protected:
  void open_session() {
    backend_listening_ = listen_on(loopback());
    add_backend(address_of(backend_listening_));
    start();
    client = connect_client();
    ASSERT_TRUE(client);
    server = accept_from(backend_listening_);
  }
  void TearDown() override {
    client.reset();
    server.reset();
    backend_listening_.reset();
    ProxyTest::TearDown();
  }
  SessionRecord record() { return records(1).at(0); }
  EndReason reason() { return record().reason; }

  UniqueFd client;
  UniqueFd server;

 private:
  UniqueFd backend_listening_;
};

inline std::string received(const UniqueFd& socket, size_t size) {
  std::string bytes;
  receive(socket, size, bytes);
  return bytes;
}

inline ReadEnd end_of(const UniqueFd& socket) {
  std::string rest;
  const ReadEnd end = receive_to_end(socket, rest);
  EXPECT_EQ(rest, "");
  return end;
}

// Sends until nothing has been taken for a while: the way is full.
inline std::string fill(const UniqueFd& socket, size_t bytes_max = 64 << 20) {
  const std::string bytes = pattern(1 << 20);
  std::string sent;
  while (sent.size() < bytes_max) {
    pollfd room{.fd = socket.get(), .events = POLLOUT, .revents = 0};
    if (::poll(&room, 1, 300) == 0) break;
    const size_t offset = sent.size() % bytes.size();
    const size_t taken = send_some(socket, std::string_view(bytes).substr(offset));
    sent += bytes.substr(offset, taken);
    if ((room.revents & (POLLERR | POLLHUP)) != 0) break;
  }
  return sent;
}

}  // namespace sluice
