#include "echo_server.h"

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace sluice {

EchoServer::~EchoServer() {
  ::shutdown(listening_.get(), SHUT_RDWR);
  acceptor_.join();
}

void EchoServer::accept_all() {
  for (;;) {
    UniqueFd socket(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket && errno == EINVAL) break;  // the destructor's shutdown
    if (!socket) {
      // A test may have taken the descriptors away.
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      continue;
    }
    set_time_limit(socket.get(), 20);
    ++connections_;
    connections_threads_.emplace_back([owned = std::move(socket)] { echo(owned); });
  }
  for (std::thread& thread : connections_threads_) thread.join();
}

void EchoServer::echo(const UniqueFd& socket) {
  std::vector<char> buffer(128 * 1024);
  for (;;) {
    const ssize_t count = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) return;
    for (ssize_t sent = 0; sent < count;) {
      const ssize_t written = ::send(socket.get(), buffer.data() + sent,
                                     static_cast<size_t>(count - sent), MSG_NOSIGNAL);
      if (written <= 0) return;
      sent += written;
    }
  }
}

}  // namespace sluice
