// Requests and their answers, from the head to the last byte: libmicrohttpd calls here when it has
// read or wants to write something. An answer may come at once or later, whole or as a stream.
// Loop's thread; outlives the library's daemon.
#pragma once

#include <microhttpd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "http_connection.h"
#include "http_limits.h"
#include "http_message.h"
#include "sluice/net/loop.h"

namespace sluice {

class HttpCalls;

// One request and its answer.
struct HttpCall {
  enum class Stage : uint8_t {
    head,    // is on its way
    body,    // is read and forgotten
    asked,   // the handler has been called and has yet to answer
    sending  // the library has the answer
  };
  HttpCall(HttpCalls& its_calls, HttpConnection& its_connection)
      : calls(its_calls), connection(its_connection) {}

  HttpCalls& calls;
  HttpConnection& connection;
  uint64_t id = 0;
  HttpRequest request;
  Stage stage = Stage::head;
  size_t body_bytes = 0;
  std::optional<HttpAnswer> answer;  // its text is the library's until the call ends
  bool is_suspended = false;         // the library leaves it alone until it is resumed
  bool is_over = false;              // a stream that is to end
  std::string piece;                 // of a stream
  size_t piece_sent = 0;
};

class HttpCalls {
 public:
  // Asked when the head of a request is there: an answer here is final, its body is not read.
  using Check = std::function<std::optional<HttpAnswer>(const HttpRequest&)>;
  // Called with the whole request. Bodies are read and forgotten.
  using Handle = std::function<void(const HttpRequest&, HttpReply)>;

  // `on_resume`: the library has to run.
  HttpCalls(Loop& loop, const HttpLimits& limits, Check check, Handle handle,
            std::function<void()> on_resume);
  HttpCalls(const HttpCalls&) = delete;
  HttpCalls& operator=(const HttpCalls&) = delete;

  // For the library, with an HttpCalls as `self`. Its connections' socket context is their
  // HttpConnection.
  static void* on_target(void* self, const char* target, MHD_Connection* handle);
  static MHD_Result on_request(void* self, MHD_Connection* handle, const char* url,
                               const char* method, const char* version, const char* body,
                               size_t* body_bytes, void** context);
  static void on_completed(void* self, MHD_Connection* handle, void** context,
                           MHD_RequestTerminationCode code);
  static ssize_t on_stream(void* call, uint64_t position, char* out, size_t bytes_max);

  // The first answer counts; none when the call is over.
  void give_answer(uint64_t call_id, HttpAnswer answer);
  // Does nothing when it is not suspended.
  void resume(HttpCall& call);
  // Its client is cut off.
  void give_up(HttpCall& call);
  // Frees it.
  void end(HttpCall& call);

  uint32_t streams() const { return streams_; }

 private:
  bool serve(HttpCall& call, const char* method, const char* version, size_t& body_bytes);
  bool read_head(HttpCall& call, const char* method, const char* version);
  bool ask(HttpCall& call);
  bool send(HttpCall& call);
  uint32_t streams_of(const Address& peer) const;
  // Nothing when there may be one more.
  std::optional<HttpAnswer> refuse_stream(const HttpCall& call) const;
  // From here on it takes part of the memory that answers may take.
  void take_answer(HttpCall& call, HttpAnswer answer);
  void let_go_of(const HttpAnswer& answer);
  // What it would take more than is taken already.
  size_t bytes_more(const HttpAnswer& answer) const;
  ssize_t read_stream(HttpCall& call, char* out, size_t bytes_max);
  void suspend(HttpCall& call);

  Loop& loop_;
  const HttpLimits& limits_;
  const Check check_;
  const Handle handle_;
  const std::function<void()> on_resume_;
  std::unordered_map<uint64_t, HttpCall*> calls_;
  uint64_t next_call_id_ = 1;
  uint32_t streams_ = 0;
  size_t answer_bytes_ = 0;  // of answers that wait or are on their way
  std::unordered_map<const std::string*, uint32_t> shared_;  // texts among them: of how many calls
  const std::shared_ptr<HttpCalls*> presence_ = std::make_shared<HttpCalls*>(this);
};

}  // namespace sluice
