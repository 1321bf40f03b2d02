#include "http_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "http_head.h"

namespace sluice {
namespace {

constexpr size_t kStreamBlockBytes = 4096;
// On every answer that does not say otherwise: nobody keeps it, takes it for something else, shows
// it inside another page or reads it into one.
constexpr std::pair<const char*, const char*> kHeaders[] = {
    {"Cache-Control", "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

HttpConnection& connection_of(MHD_Connection* handle) {
  const auto* info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return *static_cast<HttpConnection*>(info->socket_context);
}

bool has_header(const HttpAnswer& answer, std::string_view name) {
  return std::any_of(answer.headers.begin(), answer.headers.end(),
                     [name](const auto& header) { return header.first == name; });
}

MHD_Result add_header(void* headers, MHD_ValueKind /*kind*/, const char* key, const char* value) {
  static_cast<HttpHeaders*>(headers)->emplace_back(key, value == nullptr ? "" : value);
  return MHD_YES;
}

}  // namespace

HttpCalls::HttpCalls(Loop& loop, const HttpLimits& limits, Check check, Handle handle,
                     std::function<void()> on_resume)
    : loop_(loop),
      limits_(limits),
      check_(std::move(check)),
      handle_(std::move(handle)),
      on_resume_(std::move(on_resume)) {}

void* HttpCalls::on_target(void* self, const char* target, MHD_Connection* handle) {
  auto& calls = *static_cast<HttpCalls*>(self);
  HttpConnection& connection = connection_of(handle);
  connection.call = std::make_unique<HttpCall>(calls, connection);
  HttpCall& call = *connection.call;
  call.id = calls.next_call_id_++;
  call.request.target = target;
  calls.calls_.emplace(call.id, &call);
  return &call;
}

MHD_Result HttpCalls::on_request(void* /*self*/, MHD_Connection* /*handle*/, const char* /*url*/,
                                 const char* method, const char* version, const char* /*body*/,
                                 size_t* body_bytes, void** context) {
  auto& call = *static_cast<HttpCall*>(*context);
  return call.calls.serve(call, method, version, *body_bytes) ? MHD_YES : MHD_NO;
}

void HttpCalls::on_completed(void* /*self*/, MHD_Connection* /*handle*/, void** context,
                             MHD_RequestTerminationCode code) {
  if (auto* call = static_cast<HttpCall*>(*context)) {
    if (code == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED) call->connection.drop_unsent();
    call->calls.end(*call);
  }
  *context = nullptr;
}

ssize_t HttpCalls::on_stream(void* context, uint64_t /*position*/, char* out, size_t bytes_max) {
  auto& call = *static_cast<HttpCall*>(context);
  return call.calls.read_stream(call, out, bytes_max);
}

// The library calls once with the head, then with each part of the body, then without one; and once
// more after a call that was suspended has been resumed.
bool HttpCalls::serve(HttpCall& call, const char* method, const char* version, size_t& body_bytes) {
  switch (call.stage) {
    case HttpCall::Stage::head:
      return read_head(call, method, version);
    case HttpCall::Stage::body:
      if (body_bytes == 0) return call.answer ? send(call) : ask(call);
      call.body_bytes += std::exchange(body_bytes, 0);
      return call.body_bytes <= limits_.body_bytes_max;
    case HttpCall::Stage::asked:
      return call.answer && send(call);
    case HttpCall::Stage::sending:
      break;
  }
  return false;
}

bool HttpCalls::read_head(HttpCall& call, const char* method, const char* version) {
  HttpRequest& request = call.request;
  request.method = method;
  request.version = version;
  request.peer = call.connection.peer;
  request.local = call.connection.local;
  request.who = call.connection.who;
  MHD_get_connection_values(call.connection.handle, MHD_HEADER_KIND, &add_header, &request.headers);
  call.stage = HttpCall::Stage::body;
  // Answered at once, the connection ends with the answer: where the next request begins is not
  // sure after a head like that, nor is a body read that nobody wants.
  if (auto refusal = refuse_head(request, limits_)) {
    take_answer(call, std::move(*refusal));
    return send(call);
  }
  use_origin_form(request);
  if (auto answer = check_(request)) take_answer(call, std::move(*answer));
  return !call.answer || !has_body(request) || send(call);
}

bool HttpCalls::ask(HttpCall& call) {
  call.stage = HttpCall::Stage::asked;
  call.connection.move_to(HttpConnection::Phase::answering, loop_.now());
  handle_(call.request, [presence = std::weak_ptr(presence_), id = call.id](HttpAnswer answer) {
    if (const auto calls = presence.lock()) (*calls)->give_answer(id, std::move(answer));
  });
  if (call.answer) return send(call);
  suspend(call);
  return true;
}

void HttpCalls::give_answer(uint64_t call_id, HttpAnswer answer) {
  const auto found = calls_.find(call_id);
  if (found == calls_.end() || found->second->answer) return;
  take_answer(*found->second, std::move(answer));
  resume(*found->second);
}

uint32_t HttpCalls::streams_of(const Address& peer) const {
  return static_cast<uint32_t>(
      std::count_if(calls_.begin(), calls_.end(), [&peer](const auto& entry) {
        const HttpCall& call = *entry.second;
        return call.stage == HttpCall::Stage::sending && call.answer->stream &&
               is_same_host(call.connection.peer, peer);
      }));
}

std::optional<HttpAnswer> HttpCalls::refuse_stream(const HttpCall& call) const {
  if (streams_ >= limits_.streams_max) {
    return http_error(503, fmt::format("there are {} event streams already", streams_));
  }
  if (streams_of(call.connection.peer) < limits_.streams_per_ip_max) return std::nullopt;
  return http_error(503, fmt::format("there are {} event streams from your address already",
                                     limits_.streams_per_ip_max));
}

size_t HttpCalls::bytes_more(const HttpAnswer& answer) const {
  return answer.shared_body && shared_.contains(answer.shared_body.get()) ? 0
                                                                          : answer.text().size();
}

void HttpCalls::take_answer(HttpCall& call, HttpAnswer answer) {
  if (answer_bytes_ > 0 && answer_bytes_ + bytes_more(answer) > limits_.answer_bytes_max) {
    answer = http_error(503, "others are taking their answers too slowly: try again");
  }
  answer_bytes_ += bytes_more(answer);
  if (answer.shared_body) ++shared_[answer.shared_body.get()];
  call.answer = std::move(answer);
}

void HttpCalls::let_go_of(const HttpAnswer& answer) {
  const auto shared = shared_.find(answer.shared_body.get());
  if (shared != shared_.end()) {
    if (--shared->second > 0) return;
    shared_.erase(shared);
  }
  answer_bytes_ -= answer.text().size();
}

bool HttpCalls::send(HttpCall& call) {
  if (call.answer->stream) {
    if (auto refusal = refuse_stream(call)) take_answer(call, std::move(*refusal));
  }
  call.stage = HttpCall::Stage::sending;
  HttpAnswer& answer = *call.answer;
  MHD_Response* response = nullptr;
  if (answer.stream) {
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kStreamBlockBytes, &on_stream,
                                                 &call, nullptr);
    call.connection.move_to(HttpConnection::Phase::streaming, loop_.now());
    ++streams_;
  } else {
    response = MHD_create_response_from_buffer(
        answer.text().size(), const_cast<char*>(answer.text().data()), MHD_RESPMEM_PERSISTENT);
    call.connection.move_to(HttpConnection::Phase::answering, loop_.now());
  }
  if (response == nullptr) return false;
  MHD_add_response_header(response, "Content-Type", answer.content_type.c_str());
  for (const auto& [name, value] : kHeaders) {
    if (!has_header(answer, name)) MHD_add_response_header(response, name, value);
  }
  for (const auto& [name, value] : answer.headers) {
    MHD_add_response_header(response, name.c_str(), value.c_str());
  }
  const MHD_Result queued = MHD_queue_response(call.connection.handle, answer.status, response);
  MHD_destroy_response(response);  // our share of it
  return queued == MHD_YES;
}

ssize_t HttpCalls::read_stream(HttpCall& call, char* out, size_t bytes_max) {
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

void HttpCalls::suspend(HttpCall& call) {
  call.is_suspended = true;
  MHD_suspend_connection(call.connection.handle);
}

void HttpCalls::resume(HttpCall& call) {
  if (!std::exchange(call.is_suspended, false)) return;
  MHD_resume_connection(call.connection.handle);
  on_resume_();
}

void HttpCalls::give_up(HttpCall& call) {
  call.is_over = true;
  resume(call);
}

void HttpCalls::end(HttpCall& call) {
  if (call.answer) let_go_of(*call.answer);
  if (call.stage == HttpCall::Stage::sending && call.answer->stream) --streams_;
  calls_.erase(call.id);
  HttpConnection& connection = call.connection;
  connection.move_to(HttpConnection::Phase::asking, loop_.now());
  connection.call.reset();
}

}  // namespace sluice
