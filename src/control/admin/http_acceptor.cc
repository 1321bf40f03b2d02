#include "http_acceptor.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace sluice {
namespace {

constexpr Duration kAcceptAgainDelay = std::chrono::milliseconds(100);

bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

HttpAcceptor::HttpAcceptor(Loop& loop, Poller& poller, UniqueFd socket, Reports reports)
    : poller_(poller),
      socket_(std::move(socket)),
      reports_(std::move(reports)),
      accept_again_(loop, [this] { watch(); }) {
  watch();
}

HttpAcceptor::~HttpAcceptor() { hold(); }

void HttpAcceptor::hold() {
  if (std::exchange(is_watching_, false)) poller_.remove(socket_.get());
  accept_again_.stop();
}

void HttpAcceptor::watch() {
  if (is_watching_) return;
  const auto added = poller_.add_listener(socket_.get(), *this, Poller::Sharing::sole);
  is_watching_ = added.has_value();
  if (!added) pause(added.error().system_error);
}

void HttpAcceptor::pause(int error) {
  hold();
  accept_again_.start(kAcceptAgainDelay);
  reports_.on_shortage(std::strerror(error));
}

void HttpAcceptor::on_ready(unsigned /*tag*/, Readiness /*readiness*/) {
  for (int i = 0; i < kBatchMax; ++i) {
    UniqueFd client(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client) {
      reports_.on_client(std::move(client));
    } else if (is_shortage(errno)) {
      pause(errno);
      break;
    } else if (errno == EAGAIN) {
      break;
    }
    // Any other error is of the client that was about to come, accept(2).
  }
  reports_.on_batch_end();
}

}  // namespace sluice
