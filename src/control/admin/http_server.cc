#include "http_server.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "sluice/net/socket_address.h"

namespace sluice {
namespace {

// What the kernel may keep for a client that does not read.
constexpr int kSendBufferBytes = 64 * 1024;
constexpr size_t kStreamBlockBytes = 4096;
// On every answer: nobody keeps it, takes it for something else or shows it inside another page.
constexpr std::pair<const char*, const char*> kHeaders[] = {
    {"Cache-Control", "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
};

bool has_gone(int fd) {
  char byte = 0;
  const ssize_t bytes = ::recv(fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
  return bytes == 0 || (bytes < 0 && errno != EAGAIN && errno != EINTR);
}

bool is_same_host(const Address& a, const Address& b) {
  return a.is_ip() && a.kind() == b.kind() && a.bytes() == b.bytes();
}

}  // namespace

struct HttpServer::Connection {
  enum class Phase : uint8_t {
    asking,     // its request is awaited, or on its way
    answering,  // the answer is awaited, or on its way
    streaming,
    ending,  // cut by us, the library has yet to see it
  };
  MHD_Connection* handle = nullptr;
  int fd = -1;
  Address peer;
  Address local;
  Phase phase = Phase::asking;
  TimePoint since;
  std::unique_ptr<Call> call;  // the request under way

  void move_to(Phase next, TimePoint now) {
    if (phase == Phase::ending) return;
    phase = next;
    since = now;
  }
};

// One request and its answer.
struct HttpServer::Call {
  enum class Stage : uint8_t {
    head,    // is on its way
    body,    // is read and forgotten
    asked,   // the handler has been called and has yet to answer
    sending  // the library has the answer
  };
  Call(HttpServer& its_server, Connection& its_connection)
      : server(its_server), connection(its_connection) {}

  HttpServer& server;
  Connection& connection;
  uint64_t id = 0;
  HttpRequest request;
  Stage stage = Stage::head;
  size_t body_bytes = 0;
  std::optional<HttpAnswer> answer;  // its body is the library's until the call ends
  bool is_suspended = false;
  bool is_over = false;  // a stream that is to end
  std::string piece;     // of a stream
  size_t piece_sent = 0;
};

struct HttpServer::Glue {
  static Connection& connection_of(MHD_Connection* handle) {
    const auto* info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return *static_cast<Connection*>(info->socket_context);
  }

  static void on_connection(void* self, MHD_Connection* handle, void** context,
                            MHD_ConnectionNotificationCode code) {
    auto& server = *static_cast<HttpServer*>(self);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
      // The one that accept() has just handed over.
      Connection& connection = server.connections_.back();
      connection.handle = handle;
      *context = &connection;
    } else if (auto* closed = static_cast<Connection*>(*context)) {
      if (closed->call) server.end_call(*closed->call);
      server.connections_.remove_if([closed](const Connection& one) { return &one == closed; });
    }
  }

  static void* on_target(void* self, const char* target, MHD_Connection* handle) {
    return static_cast<HttpServer*>(self)->begin_call(connection_of(handle), target);
  }

  static MHD_Result on_request(void* /*self*/, MHD_Connection* /*handle*/, const char* /*url*/,
                               const char* method, const char* /*version*/, const char* /*body*/,
                               size_t* body_bytes, void** context) {
    auto& call = *static_cast<Call*>(*context);
    return call.server.serve(call, method, *body_bytes) ? MHD_YES : MHD_NO;
  }

  static void on_completed(void* self, MHD_Connection* /*handle*/, void** context,
                           MHD_RequestTerminationCode /*code*/) {
    if (auto* call = static_cast<Call*>(*context)) static_cast<HttpServer*>(self)->end_call(*call);
    *context = nullptr;
  }

  static ssize_t on_stream(void* context, uint64_t /*position*/, char* out, size_t bytes_max) {
    auto& call = *static_cast<Call*>(context);
    return call.server.read_stream(call, out, bytes_max);
  }

  static MHD_Result on_header(void* context, MHD_ValueKind /*kind*/, const char* key,
                              const char* value) {
    static_cast<HttpHeaders*>(context)->emplace_back(key, value == nullptr ? "" : value);
    return MHD_YES;
  }
};

Result<std::unique_ptr<HttpServer>> HttpServer::open(Loop& loop, Poller& poller, UniqueFd socket,
                                                     const Limits& limits, Callbacks callbacks) {
  // Inherited by what is accepted.
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
  std::unique_ptr<HttpServer> server(new HttpServer(loop, poller, limits, std::move(callbacks)));
  if (server->start(std::move(socket))) return server;
  const int error = errno;
  return failure(fmt::format("cannot start the HTTP server: {}", std::strerror(error)), error);
}

HttpServer::HttpServer(Loop& loop, Poller& poller, const Limits& limits, Callbacks callbacks)
    : loop_(loop),
      poller_(poller),
      limits_(limits),
      callbacks_(std::move(callbacks)),
      run_due_(loop, [this] { run(); }),
      sweep_due_(loop, [this] { sweep(); }) {}

bool HttpServer::start(UniqueFd socket) {
  constexpr unsigned kFlags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME;
  // Who is cut to make room stays until the library has seen it.
  const unsigned connections_max = limits_.connections_max + HttpAcceptor::kBatchMax;
  daemon_.reset(MHD_start_daemon(
      kFlags, 0, nullptr, nullptr, &Glue::on_request, this,  //
      MHD_OPTION_CONNECTION_LIMIT, connections_max,          //
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, limits_.head_bytes_max, MHD_OPTION_CONNECTION_TIMEOUT,
      limits_.stall_seconds_max, MHD_OPTION_NOTIFY_CONNECTION, &Glue::on_connection, this,
      MHD_OPTION_NOTIFY_COMPLETED, &Glue::on_completed, this, MHD_OPTION_URI_LOG_CALLBACK,
      &Glue::on_target, this, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
      MHD_OPTION_END));
  if (!daemon_) return false;
  epoll_ = MHD_get_daemon_info(daemon_.get(), MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  if (!poller_.add_listener(epoll_, *this, Poller::Sharing::sole)) return false;
  acceptor_ = std::make_unique<HttpAcceptor>(
      loop_, poller_, std::move(socket),
      HttpAcceptor::Reports{.on_client = [this](UniqueFd client) { accept(std::move(client)); },
                            .on_batch_end = [this] { run(); },
                            .on_shortage = callbacks_.on_shortage});
  return true;
}

HttpServer::~HttpServer() {
  acceptor_.reset();
  if (!daemon_) return;
  poller_.remove(epoll_);
  // The library wants nothing suspended when it stops.
  for (Connection& connection : connections_) {
    if (connection.call && connection.call->is_suspended) resume(*connection.call);
  }
  daemon_.reset();
}

void HttpServer::on_ready(unsigned /*tag*/, Readiness /*readiness*/) { run(); }

void HttpServer::run() {
  MHD_run(daemon_.get());
  MHD_UNSIGNED_LONG_LONG ms = 0;
  if (MHD_get_timeout(daemon_.get(), &ms) == MHD_YES) {
    // Never longer than a sweep: then somebody is looked at anyway.
    const auto bound = static_cast<MHD_UNSIGNED_LONG_LONG>(to_ms(limits_.sweep_interval));
    run_due_.start(std::chrono::milliseconds(std::min(ms, bound)));
  } else {
    run_due_.stop();
  }
}

void HttpServer::accept(UniqueFd client) {
  const Address local = local_address(client.get());
  const Address peer = local.is_ip() ? peer_address(client.get()) : local;
  if (!make_room(peer)) return;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  // Gone already: what the library wants to know of it is no matter.
  if (::getpeername(client.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return;
  Connection connection;
  connection.fd = client.get();
  connection.peer = peer;
  connection.local = local;
  connection.since = loop_.now();
  connections_.push_back(std::move(connection));
  const Connection* added = &connections_.back();
  // Closes it when it fails.
  MHD_add_connection(daemon_.get(), client.release(), reinterpret_cast<sockaddr*>(&address), size);
  const bool is_ours = !connections_.empty() && &connections_.back() == added;
  if (is_ours && connections_.back().handle == nullptr) connections_.pop_back();
  if (!sweep_due_.is_running()) sweep_due_.start(limits_.sweep_interval);
}

bool HttpServer::make_room(const Address& peer) {
  using Phase = Connection::Phase;
  size_t all = 0;
  size_t of_peer = 0;
  Connection* oldest = nullptr;
  Connection* oldest_of_peer = nullptr;
  const auto prefer = [](Connection*& found, Connection& candidate) {
    if (candidate.phase != Phase::asking) return;
    if (found == nullptr || candidate.since < found->since) found = &candidate;
  };
  for (Connection& connection : connections_) {
    if (connection.phase == Phase::ending) continue;
    ++all;
    prefer(oldest, connection);
    if (!is_same_host(connection.peer, peer)) continue;
    ++of_peer;
    prefer(oldest_of_peer, connection);
  }
  const bool is_peer_full = of_peer >= limits_.connections_per_ip_max;
  if (!is_peer_full && all < limits_.connections_max) return true;
  Connection* goes = is_peer_full ? oldest_of_peer : oldest;
  if (goes == nullptr) return false;
  cut(*goes);
  return true;
}

// The library sees the end of the stream and closes it.
void HttpServer::cut(Connection& connection) {
  ::shutdown(connection.fd, SHUT_RDWR);
  connection.move_to(Connection::Phase::ending, loop_.now());
  if (!connection.call || !connection.call->is_suspended) return;
  connection.call->is_over = true;
  resume(*connection.call);
}

// A client that sends or reads byte after byte is never idle, so the library's own timeout does not
// end it; and one whose call is suspended is not looked at by the library at all.
void HttpServer::sweep() {
  for (Connection& connection : connections_) sweep(connection);
  run();
  if (!connections_.empty()) sweep_due_.start(limits_.sweep_interval);
}

void HttpServer::sweep(Connection& connection) {
  using Phase = Connection::Phase;
  const Duration age = loop_.now() - connection.since;
  const bool is_suspended = connection.call && connection.call->is_suspended;
  switch (connection.phase) {
    case Phase::asking:
      if (age > limits_.request_time_max) cut(connection);
      return;
    case Phase::answering:
      if (is_suspended && !has_gone(connection.fd)) {
        if (age > limits_.handler_time_max) {
          take_answer(connection.call->id, http_error(503, "there was no answer in time"));
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

void* HttpServer::begin_call(Connection& connection, const char* target) {
  auto call = std::make_unique<Call>(*this, connection);
  call->id = next_call_id_++;
  call->request.target = target;
  calls_.emplace(call->id, call.get());
  connection.call = std::move(call);
  return connection.call.get();
}

// The library calls once with the head, then with each part of the body, then without one; and once
// more after a call that was suspended has been resumed.
bool HttpServer::serve(Call& call, const char* method, size_t& body_bytes) {
  switch (call.stage) {
    case Call::Stage::head:
      return read_head(call, method);
    case Call::Stage::body:
      if (body_bytes == 0) return ask(call);
      // Without a Content-Length this is how a large one is found out: too late for an answer.
      call.body_bytes += std::exchange(body_bytes, 0);
      return call.body_bytes <= limits_.body_bytes_max;
    case Call::Stage::asked:
      return call.answer && send(call);
    case Call::Stage::sending:
      break;
  }
  return false;
}

bool HttpServer::read_head(Call& call, const char* method) {
  HttpRequest& request = call.request;
  request.method = method;
  request.peer = call.connection.peer;
  request.local = call.connection.local;
  MHD_get_connection_values(call.connection.handle, MHD_HEADER_KIND, &Glue::on_header,
                            &request.headers);
  call.stage = Call::Stage::body;
  if (request.target.size() > limits_.target_bytes_max) {
    call.answer = http_error(
        414, fmt::format("a request's target has at most {} bytes", limits_.target_bytes_max));
  } else if (const auto length = request.header("Content-Length")) {
    // The library has read the number and refused what is none.
    const std::string digits(*length);
    if (std::strtoull(digits.c_str(), nullptr, 10) > limits_.body_bytes_max) {
      call.answer = http_error(
          413, fmt::format("a request's body has at most {} bytes", limits_.body_bytes_max));
    }
  }
  if (!call.answer) call.answer = callbacks_.check(request);
  return !call.answer || send(call);
}

bool HttpServer::ask(Call& call) {
  call.stage = Call::Stage::asked;
  call.connection.move_to(Connection::Phase::answering, loop_.now());
  callbacks_.handle(call.request,
                    [presence = std::weak_ptr(presence_), id = call.id](HttpAnswer answer) {
                      if (const auto server = presence.lock()) {
                        (*server)->take_answer(id, std::move(answer));
                      }
                    });
  if (call.answer) return send(call);
  suspend(call);
  return true;
}

void HttpServer::take_answer(uint64_t call_id, HttpAnswer answer) {
  const auto found = calls_.find(call_id);
  if (found == calls_.end() || found->second->answer) return;
  Call& call = *found->second;
  call.answer = std::move(answer);
  if (call.is_suspended) resume(call);
}

void HttpServer::replace_what_is_too_much(Call& call) {
  const HttpAnswer& answer = *call.answer;
  if (answer.stream && streams_ >= limits_.streams_max) {
    call.answer = http_error(503, fmt::format("there are {} event streams already", streams_));
  } else if (answer_bytes_ > 0 && answer_bytes_ + answer.body.size() > limits_.answer_bytes_max) {
    call.answer = http_error(503, "others are taking their answers too slowly: try again");
  }
}

bool HttpServer::send(Call& call) {
  replace_what_is_too_much(call);
  call.stage = Call::Stage::sending;
  HttpAnswer& answer = *call.answer;
  answer_bytes_ += answer.body.size();
  MHD_Response* response = nullptr;
  if (answer.stream) {
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kStreamBlockBytes,
                                                 &Glue::on_stream, &call, nullptr);
    call.connection.move_to(Connection::Phase::streaming, loop_.now());
    ++streams_;
  } else {
    response = MHD_create_response_from_buffer(answer.body.size(), answer.body.data(),
                                               MHD_RESPMEM_PERSISTENT);
    call.connection.move_to(Connection::Phase::answering, loop_.now());
  }
  if (response == nullptr) return false;
  MHD_add_response_header(response, "Content-Type", answer.content_type.c_str());
  for (const auto& [name, value] : kHeaders) MHD_add_response_header(response, name, value);
  for (const auto& [name, value] : answer.headers) {
    MHD_add_response_header(response, name.c_str(), value.c_str());
  }
  const MHD_Result queued = MHD_queue_response(call.connection.handle, answer.status, response);
  MHD_destroy_response(response);  // our share of it
  return queued == MHD_YES;
}

ssize_t HttpServer::read_stream(Call& call, char* out, size_t bytes_max) {
  if (call.is_over) return MHD_CONTENT_READER_END_WITH_ERROR;
  if (call.piece_sent == call.piece.size()) {
    auto next = call.answer->stream();
    if (!next) return MHD_CONTENT_READER_END_OF_STREAM;
    call.piece = std::move(*next);
    call.piece_sent = 0;
    if (call.piece.empty()) {
      suspend(call);
      return 0;
    }
  }
  const size_t bytes = std::min(bytes_max, call.piece.size() - call.piece_sent);
  call.piece.copy(out, bytes, call.piece_sent);
  call.piece_sent += bytes;
  return static_cast<ssize_t>(bytes);
}

void HttpServer::suspend(Call& call) {
  call.is_suspended = true;
  MHD_suspend_connection(call.connection.handle);
}

// Without a thread of its own nothing wakes the library: it looks at who was resumed when it runs.
void HttpServer::resume(Call& call) {
  call.is_suspended = false;
  MHD_resume_connection(call.connection.handle);
  run_due_.start(Duration::zero());
}

void HttpServer::wake_streams() {
  for (Connection& connection : connections_) {
    const bool waits = connection.phase == Connection::Phase::streaming && connection.call &&
                       connection.call->is_suspended;
    if (waits) resume(*connection.call);
  }
}

void HttpServer::end_call(Call& call) {
  if (call.stage == Call::Stage::sending) {
    answer_bytes_ -= call.answer->body.size();
    if (call.answer->stream) --streams_;
  }
  calls_.erase(call.id);
  Connection& connection = call.connection;
  connection.move_to(Connection::Phase::asking, loop_.now());
  connection.call.reset();
}

}  // namespace sluice
