#include "load_client.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "load_requester.h"
#include "load_streams.h"

namespace sluice::bench {
namespace {

// Opened at a time at the start, so that a proxy's backlog need not hold thousands.
constexpr size_t kOpeningMax = 256;

std::unique_ptr<Client> make_client(Clients& all) {
  switch (all.options().mode) {
    case ClientMode::receive:
    case ClientMode::demand:
      return std::make_unique<Receiver>(all);
    case ClientMode::send:
      return std::make_unique<Sender>(all);
    case ClientMode::both:
      return std::make_unique<SenderAndReceiver>(all);
    case ClientMode::fetch:
      return std::make_unique<Fetcher>(all);
    case ClientMode::stall:
      return std::make_unique<Staller>(all);
    case ClientMode::ping_pong:
    case ClientMode::reconnect:
    case ClientMode::idle:
      return std::make_unique<Requester>(all);
  }
  return nullptr;
}

}  // namespace

void Client::open() {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) fail("cannot make a socket", errno);
  const int yes = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  const sockaddr_in& target = all_.options().target;
  const auto* const generic = reinterpret_cast<const sockaddr*>(&target);
  if (::connect(fd_, generic, sizeof target) != 0 && errno != EINPROGRESS) {
    fail("cannot connect", errno);
  }
  all_.loop().add(fd_, interest(), *this);
}

void Client::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Client::note_work() {
  if (!std::exchange(has_worked_, true)) all_.note_first_work();
}

void Client::expect_would_block(ssize_t result) {
  if (result == 0) fail("the proxy closed a connection", 0);
  if (errno != EAGAIN) fail("a connection failed", errno);
}

Clients::Clients(Loop& loop, Stats& stats, const ClientOptions& options)
    : loop_(loop), stats_(stats), options_(options) {
  if (options_.rate) schedule_ = std::make_unique<Schedule>(loop, *options_.rate);
  open_more();
}

void Clients::open_more() {
  const size_t open_max = std::min(options_.connections, working_ + kOpeningMax);
  while (clients_.size() < open_max) {
    clients_.push_back(make_client(*this));
    clients_.back()->begin();
  }
}

void Clients::note_first_work() {
  ++working_;
  if (working_ < options_.connections) {
    open_more();
    return;
  }
  for (const auto& client : clients_) client->go_on();
  if (schedule_) schedule_->start();
  say("ready");
}

bool Clients::begin_unit() {
  if (options_.units_max && begun_ >= *options_.units_max) return false;
  ++begun_;
  return true;
}

void Clients::end_unit(uint64_t took_ns) {
  stats_.add_unit(took_ns);
  ++ended_;
  if (options_.units_max && ended_ == *options_.units_max) loop_.stop();
}

}  // namespace sluice::bench
