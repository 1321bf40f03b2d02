#include "load_streams.h"

#include <sys/socket.h>

#include <cerrno>

#include "load_backend.h"
#include "load_block.h"

namespace sluice::bench {
namespace {

// One byte into an empty socket buffer: it is taken as soon as the connection stands.
void ask_for_bulk(int fd) {
  if (::send(fd, &kAskForBulk, 1, MSG_NOSIGNAL) != 1) fail("cannot ask for bulk", errno);
}

}  // namespace

uint32_t Receiver::interest() const {
  return all_.options().mode == ClientMode::demand ? EPOLLOUT : EPOLLIN;
}

void Receiver::on_ready(uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    ask_for_bulk(fd_);
    all_.loop().modify(fd_, EPOLLIN, *this);
  } else {
    receive();
  }
}

size_t Receiver::receive() {
  const ssize_t bytes = ::recv(fd_, block.data(), block.size(), 0);
  if (bytes <= 0) {
    expect_would_block(bytes);
    return 0;
  }
  all_.stats().add_bytes(static_cast<uint64_t>(bytes));
  note_work();
  return static_cast<size_t>(bytes);
}

uint32_t Sender::interest() const { return EPOLLOUT; }

void Sender::on_ready(uint32_t) {
  const ssize_t bytes = ::send(fd_, block.data(), block.size(), MSG_NOSIGNAL);
  if (bytes <= 0) return expect_would_block(bytes);
  all_.stats().add_bytes(static_cast<uint64_t>(bytes));
  note_work();
}

uint32_t SenderAndReceiver::interest() const { return EPOLLIN | EPOLLOUT; }

void SenderAndReceiver::on_ready(uint32_t events) {
  if ((events & ~EPOLLOUT) != 0) receive();
  if ((events & EPOLLOUT) == 0) return;
  const ssize_t bytes = ::send(fd_, block.data(), block.size(), MSG_NOSIGNAL);
  if (bytes <= 0) expect_would_block(bytes);
}

uint32_t Fetcher::interest() const { return EPOLLIN; }

void Fetcher::on_ready(uint32_t) {
  received_ += receive();
  if (received_ < all_.options().bytes) return;
  close();
  all_.end_unit(0);
}

uint32_t Staller::interest() const { return EPOLLOUT; }

void Staller::on_ready(uint32_t events) {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) fail("the proxy ended a stalled connection", 0);
  ask_for_bulk(fd_);
  all_.loop().modify(fd_, 0, *this);
  note_work();
}

}  // namespace sluice::bench
