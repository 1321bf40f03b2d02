#include "load_requester.h"

#include <sys/socket.h>

#include <algorithm>

#include "load_block.h"

namespace sluice::bench {

void Requester::begin() { begin_at(now_ns()); }

void Requester::send_request_due_at(uint64_t due_ns) { begin_at(due_ns); }

void Requester::begin_at(uint64_t ns) {
  if (!all_.begin_unit()) return;
  began_at_ns_ = ns;
  to_send_ = to_receive_ = all_.options().bytes;
  if (fd_ < 0) {
    open();
  } else {
    send_request();
  }
}

void Requester::on_ready(uint32_t events) {
  if ((events & EPOLLOUT) != 0 && to_send_ > 0) send_request();
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0) return;
  if (to_receive_ > 0) {
    receive_reply();
  } else {
    expect_would_block(::recv(fd_, block.data(), 1, MSG_PEEK));
  }
}

void Requester::send_request() {
  while (to_send_ > 0) {
    const ssize_t bytes = ::send(fd_, block.data(), std::min(to_send_, block.size()), MSG_NOSIGNAL);
    if (bytes <= 0) return expect_would_block(bytes);
    to_send_ -= static_cast<size_t>(bytes);
  }
}

void Requester::receive_reply() {
  while (to_receive_ > 0) {
    const size_t wanted = std::min(to_receive_, block.size());
    const ssize_t bytes = ::recv(fd_, block.data(), wanted, 0);
    if (bytes <= 0) return expect_would_block(bytes);
    all_.stats().add_bytes(static_cast<uint64_t>(bytes));
    to_receive_ -= static_cast<size_t>(bytes);
    // A short read: what comes next is a new edge.
    if (to_receive_ > 0 && static_cast<size_t>(bytes) < wanted) return;
  }
  end_unit();
}

void Requester::end_unit() {
  const ClientMode mode = all_.options().mode;
  if (mode == ClientMode::reconnect) close();
  all_.end_unit(now_ns() - began_at_ns_);
  const bool was_first = !has_worked();
  note_work();
  if (mode == ClientMode::idle) return;
  // Those that stand wait for the rest: at full work they would keep a proxy from accepting.
  if (mode == ClientMode::ping_pong && was_first) return;
  begin_next();
}

void Requester::go_on() {
  if (all_.options().mode == ClientMode::ping_pong) begin_next();
}

void Requester::begin_next() {
  if (Schedule* const schedule = all_.schedule()) {
    schedule->take(*this);
  } else {
    begin();
  }
}

}  // namespace sluice::bench
