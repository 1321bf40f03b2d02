#include "demo_backend.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "sluice/net/listener_socket.h"
#include "sluice/net/socket_address.h"

namespace sluice {

DemoBackend::DemoBackend(std::string name)
    : name_(std::move(name)), address_(Address::ipv4({127, 0, 0, 1}, 0)) {
  come_back();
}

DemoBackend::~DemoBackend() { die(); }

void DemoBackend::come_back() {
  auto sockets = open_listener(address_, 1, ListenOptions{});
  if (!sockets) throw std::runtime_error(sockets.error().message);
  listening_ = std::move(sockets->front());
  address_ = local_address(listening_.get());
  thread_ = std::thread([this] { serve(); });
}

void DemoBackend::die() {
  if (!thread_.joinable()) return;
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
  eventfd_t value = 0;
  ::eventfd_read(stop_.get(), &value);
  listening_.reset();
}

void DemoBackend::serve() {
  const std::string answer = name_ + "\n";
  while (true) {
    std::array<pollfd, 2> watched{pollfd{.fd = listening_.get(), .events = POLLIN, .revents = 0},
                                  pollfd{.fd = stop_.get(), .events = POLLIN, .revents = 0}};
    ::poll(watched.data(), watched.size(), -1);
    if (watched[1].revents != 0) return;
    const UniqueFd client(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client) ::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
  }
}

}  // namespace sluice
