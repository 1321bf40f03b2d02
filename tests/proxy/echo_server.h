// A backend that sends back what it gets, a thread for each connection, and passes a half-close on.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "sockets.h"

namespace sluice {

class EchoServer {
 public:
  explicit EchoServer(const Address& address = loopback()) : listening_(listen_on(address, 1024)) {
    acceptor_ = std::thread([this] { accept_all(); });
  }
  // Connections must have ended.
  ~EchoServer();
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

  Address address() const { return address_of(listening_); }
  uint64_t connections() const { return connections_; }

 private:
  void accept_all();
  static void echo(const UniqueFd& socket);

  UniqueFd listening_;
  std::atomic<uint64_t> connections_{0};
  std::vector<std::thread> connections_threads_;  // the acceptor's
  std::thread acceptor_;
};

}  // namespace sluice
