#include "sluice/proxy/acceptor.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sluice/net/socket_address.h"
#include "sluice/proxy/worker.h"

namespace sluice {

Acceptor::Acceptor(Worker& worker, std::shared_ptr<Listener> listener, ClusterRoute& route,
                   std::shared_ptr<UniqueFd> socket)
    : worker_(worker), listener_(std::move(listener)), route_(route), socket_(std::move(socket)) {
  resume();
}

void Acceptor::on_ready(unsigned, Readiness) {
  for (int i = 0; i < batch_; ++i) {
    if (!is_watching_) return;
    if (accept_one() == Next::more) continue;
    batch_ = 1;
    return;
  }
  batch_ = std::min(2 * batch_, kBatchMax);
}

void Acceptor::pause(PauseCause cause) {
  if (!is_pause_counted_) listener_->tally(worker_.index()).count_pause(cause);
  is_pause_counted_ = true;
  stop_watching();
}

void Acceptor::stop_watching() {
  if (is_watching_) worker_.poller().remove(socket_->get());
  is_watching_ = false;
}

void Acceptor::resume() {
  if (is_watching_ || !socket_) return;
  // A unix socket is shared by the workers' pollers; for IP each has its own.
  const auto watch =
      worker_.poller().add_listener(socket_->get(), *this, Poller::Sharing::exclusive);
  is_watching_ = watch.has_value();
  if (!watch) worker_.note_pause(*listener_, PauseCause::shortage, watch.error().message);
}

void Acceptor::close() {
  // No more than can have been queued: new ones keep coming.
  for (uint32_t i = 0; socket_ && i <= listener_->config().backlog; ++i) {
    if (accept_one() != Next::more) break;
  }
  stop_watching();
  socket_.reset();
}

Acceptor::Next Acceptor::accept_one() {
  ConnectionLimit& process_limit = worker_.process_limit();
  if (!process_limit.try_acquire()) {
    worker_.note_pause(*listener_, PauseCause::process_limit,
                       "max_connections of the process reached");
    return Next::paused;
  }
  if (!listener_->limit().try_acquire()) {
    process_limit.release();
    worker_.note_pause(*listener_, PauseCause::listener_limit,
                       "max_connections of the listener reached");
    return Next::paused;
  }
  PeerAddress address;
  socklen_t size = PeerAddress::capacity();
  UniqueFd client(::accept4(socket_->get(), address.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (client) {
    is_pause_counted_ = false;
    listener_->tally(worker_.index()).accepted.add();
    worker_.admit_client(listener_, route_, std::move(client), address);
    return Next::more;
  }
  const int error = errno;
  listener_->limit().release();
  process_limit.release();
  return on_accept_error(error);
}

Acceptor::Next Acceptor::on_accept_error(int error) {
  switch (error) {
    case EAGAIN:
      return Next::none;
    // accept(2): errors of the connection that was to be accepted (gone again, refused by a
    // firewall) say nothing about the next one.
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ETIMEDOUT:
      return Next::more;
    default:
      // A shortage, or an error that may come for ever: the socket would look ready all the while.
      worker_.note_local_error(error);
      worker_.note_pause(*listener_, PauseCause::shortage, std::strerror(error));
      return Next::paused;
  }
}

}  // namespace sluice
