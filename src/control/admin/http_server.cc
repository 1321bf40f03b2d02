#include "http_server.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sluice/net/socket_address.h"

namespace sluice {
namespace {

// What the kernel may keep for a client that does not read.
constexpr int kSendBufferBytes = 64 * 1024;

bool has_gone(int fd) {
  char byte = 0;
  const ssize_t bytes = ::recv(fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
  return bytes == 0 || (bytes < 0 && errno != EAGAIN && errno != EINTR);
}

// Who it is, for a log. What a unix socket's client has as an address says nothing, but the kernel
// knows whose process connected (unix(7), SO_PEERCRED).
std::string who_is(int fd, const Address& peer) {
  if (peer.is_ip()) return peer.to_string();
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return peer.to_string();
  return fmt::format("uid {} (pid {})", credentials.uid, credentials.pid);
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::open(Loop& loop, Poller& poller, UniqueFd socket,
                                                     const Limits& limits, Callbacks callbacks) {
  // Inherited by what is accepted.
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
  std::unique_ptr<HttpServer> server(new HttpServer(loop, poller, limits, std::move(callbacks)));
  if (server->start(std::move(socket))) return server;
  const int error = errno;
  return failure(fmt::format("cannot start the HTTP server: {}", std::strerror(error)), error);
}

// Without a thread of its own nothing wakes the library when a call is resumed: it looks at who was
// when it runs.
HttpServer::HttpServer(Loop& loop, Poller& poller, const Limits& limits, Callbacks callbacks)
    : loop_(loop),
      poller_(poller),
      limits_(limits),
      on_shortage_(std::move(callbacks.on_shortage)),
      calls_(loop, limits_, std::move(callbacks.check), std::move(callbacks.handle),
             [this] { run_due_.start(Duration::zero()); }),
      work_share_(limits.work_percent_max),
      run_due_(loop, [this] { run(); }),
      sweep_due_(loop, [this] { sweep(); }),
      rest_over_(loop, [this] { go_on(); }) {}

bool HttpServer::start(UniqueFd socket) {
  constexpr unsigned kFlags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME;
  // Of the library's rules HttpHead has all and more, with an answer that says which was broken.
  constexpr int kLenient = 0;
  // Who is cut to make room stays until the library has seen it.
  const unsigned connections_max = limits_.connections_max + HttpAcceptor::kBatchMax;
  daemon_.reset(MHD_start_daemon(kFlags, 0, nullptr, nullptr, &HttpCalls::on_request, &calls_,  //
                                 MHD_OPTION_CONNECTION_LIMIT, connections_max,                  //
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits_.connection_bytes_max(),
                                 MHD_OPTION_CONNECTION_TIMEOUT, limits_.stall_seconds_max,
                                 MHD_OPTION_NOTIFY_CONNECTION, &HttpServer::on_connection, this,
                                 MHD_OPTION_NOTIFY_COMPLETED, &HttpCalls::on_completed, &calls_,
                                 MHD_OPTION_URI_LOG_CALLBACK, &HttpCalls::on_target, &calls_,
                                 MHD_OPTION_STRICT_FOR_CLIENT, kLenient,
                                 MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END));
  if (!daemon_) return false;
  epoll_ = MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  if (!poller_.add_listener(epoll_, *this, Poller::Sharing::sole)) return false;
  acceptor_ = std::make_unique<HttpAcceptor>(
      loop_, poller_, std::move(socket),
      HttpAcceptor::Reports{.on_client = [this](UniqueFd client) { accept(std::move(client)); },
                            .on_batch_end = [this] { run(); },
                            .on_shortage = on_shortage_});
  return true;
}

HttpServer::~HttpServer() {
  acceptor_.reset();
  if (!daemon_) return;
  poller_.remove(epoll_);
  // The library wants nothing suspended when it stops.
  for (HttpConnection& connection : connections_) {
    if (connection.call) calls_.resume(*connection.call);
  }
  daemon_.reset();
}

void HttpServer::on_connection(void* self, MHD_Connection* handle, void** context,
                               MHD_ConnectionNotificationCode code) {
  auto& server = *static_cast<HttpServer*>(self);
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    // The one that accept() has just handed over.
    HttpConnection& connection = server.connections_.back();
    connection.handle = handle;
    *context = &connection;
  } else if (auto* closed = static_cast<HttpConnection*>(*context)) {
    if (closed->call) server.calls_.end(*closed->call);
    server.connections_.remove_if([closed](const HttpConnection& one) { return &one == closed; });
  }
}

void HttpServer::on_ready(unsigned /*tag*/, Readiness /*readiness*/) { run(); }

void HttpServer::run() {
  if (is_resting_) return;
  const uint64_t begun = uv_hrtime();
  MHD_run(daemon_.get());
  const uint64_t ended = uv_hrtime();
  if (const Duration span = work_share_.spend(Duration(ended - begun), TimePoint(Duration(ended)));
      span > Duration::zero()) {
    rest(span);
    return;
  }
  MHD_UNSIGNED_LONG_LONG ms = 0;
  if (MHD_get_timeout(daemon_.get(), &ms) == MHD_YES) {
    // Never longer than a sweep: then somebody is looked at anyway.
    const auto bound = static_cast<MHD_UNSIGNED_LONG_LONG>(to_ms(limits_.sweep_interval));
    run_due_.start(std::chrono::milliseconds(std::min(ms, bound)));
  } else {
    run_due_.stop();
  }
}

// Whoever asks for much is answered more slowly; probes are on time, and workers keep their
// processors.
void HttpServer::rest(Duration span) {
  is_resting_ = true;
  poller_.remove(epoll_);
  acceptor_->hold();
  run_due_.stop();
  rest_over_.start(span);
}

void HttpServer::count_work(Duration took) {
  const Duration span = work_share_.spend(took, TimePoint(Duration(uv_hrtime())));
  if (span == Duration::zero()) return;
  if (is_resting_) {
    rest_over_.start(span);
  } else {
    rest(span);
  }
}

void HttpServer::go_on() {
  if (!poller_.add_listener(epoll_, *this, Poller::Sharing::sole)) {
    rest_over_.start(limits_.sweep_interval);  // short of memory
    return;
  }
  is_resting_ = false;
  acceptor_->watch();
  run();
}

void HttpServer::accept(UniqueFd client) {
  const Address local = local_address(client.get());
  const Address peer = local.is_ip() ? peer_address(client.get()) : local;
  if (!make_room(peer)) return;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  // Gone already: what the library wants to know of it is no matter.
  if (::getpeername(client.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return;
  HttpConnection connection;
  connection.fd = client.get();
  connection.peer = peer;
  connection.local = local;
  connection.who = who_is(client.get(), peer);
  connection.since = loop_.now();
  connections_.push_back(std::move(connection));
  const HttpConnection* added = &connections_.back();
  // Closes it when it fails.
  MHD_add_connection(daemon_.get(), client.release(), reinterpret_cast<sockaddr*>(&address), size);
  const bool is_ours = !connections_.empty() && &connections_.back() == added;
  if (is_ours && connections_.back().handle == nullptr) connections_.pop_back();
  if (!sweep_due_.is_running()) sweep_due_.start(limits_.sweep_interval);
}

bool HttpServer::make_room(const Address& peer) {
  using Phase = HttpConnection::Phase;
  size_t all = 0;
  size_t of_peer = 0;
  HttpConnection* oldest = nullptr;
  HttpConnection* oldest_of_peer = nullptr;
  const auto prefer = [](HttpConnection*& found, HttpConnection& candidate) {
    if (candidate.phase != Phase::asking) return;
    if (found == nullptr || candidate.since < found->since) found = &candidate;
  };
  for (HttpConnection& connection : connections_) {
    if (connection.phase == Phase::ending) continue;
    ++all;
    prefer(oldest, connection);
    if (!is_same_host(connection.peer, peer)) continue;
    ++of_peer;
    prefer(oldest_of_peer, connection);
  }
  const bool is_peer_full = of_peer >= limits_.connections_per_ip_max;
  if (!is_peer_full && all < limits_.connections_max) return true;
  HttpConnection* goes = is_peer_full ? oldest_of_peer : oldest;
  if (goes == nullptr) return false;
  cut(*goes);
  return true;
}

// The library sees the end of the stream and closes it.
void HttpServer::cut(HttpConnection& connection) {
  if (connection.phase != HttpConnection::Phase::asking) connection.drop_unsent();
  ::shutdown(connection.fd, SHUT_RDWR);
  connection.move_to(HttpConnection::Phase::ending, loop_.now());
  if (connection.call) calls_.give_up(*connection.call);
}

// A client that sends or reads byte after byte is never idle, so the library's own timeout does not
// end it; and one whose call is suspended is not looked at by the library at all.
void HttpServer::sweep() {
  for (HttpConnection& connection : connections_) sweep(connection);
  run();
  if (!connections_.empty()) sweep_due_.start(limits_.sweep_interval);
}

void HttpServer::sweep(HttpConnection& connection) {
  using Phase = HttpConnection::Phase;
  const Duration age = loop_.now() - connection.since;
  const bool is_suspended = connection.call && connection.call->is_suspended;
  switch (connection.phase) {
    case Phase::asking:
      if (age > limits_.request_time_max) cut(connection);
      return;
    case Phase::answering:
      if (is_suspended && !has_gone(connection.fd)) {
        if (age > limits_.handler_time_max) {
          calls_.give_answer(connection.call->id, http_error(503, "there was no answer in time"));
        }
      } else if (is_suspended || age > limits_.answer_time_max) {
        cut(connection);
      }
      return;
    case Phase::streaming:
      if (is_suspended && has_gone(connection.fd)) cut(connection);
      return;
    case Phase::ending:
      return;
  }
}

void HttpServer::wake_streams() {
  for (HttpConnection& connection : connections_) {
    const bool streams = connection.phase == HttpConnection::Phase::streaming;
    if (streams && connection.call) calls_.resume(*connection.call);
  }
}

bool HttpServer::has_streams(FunctionRef<bool(const Address& peer)> is_meant) const {
  return std::any_of(connections_.begin(), connections_.end(), [&](const HttpConnection& one) {
    return one.phase == HttpConnection::Phase::streaming && is_meant(one.peer);
  });
}

void HttpServer::end_streams(FunctionRef<bool(const Address& peer)> is_meant) {
  for (HttpConnection& connection : connections_) {
    const bool streams = connection.phase == HttpConnection::Phase::streaming;
    if (streams && is_meant(connection.peer)) cut(connection);
  }
}

}  // namespace sluice
