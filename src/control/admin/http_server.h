// A small HTTP/1.1 server on the control loop's thread: libmicrohttpd does the protocol, our loop
// watches its epoll descriptor and keeps its time. Knows nothing of Sluice.
//
// Every client is bounded in time and memory, however slow, large or many: the time for a request
// and for taking its answer, the bytes of its head and body, the clients of one address and of all.
// Who comes when the house is full takes the place of the one who has kept us waiting longest.
#pragma once

#include <microhttpd.h>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "http_acceptor.h"
#include "http_message.h"
#include "sluice/base/result.h"
#include "sluice/net/loop.h"
#include "sluice/net/poller.h"

namespace sluice {

class HttpServer final : private PollTarget {
 public:
  struct Limits {
    uint32_t connections_max = 256;
    uint32_t connections_per_ip_max = 128;
    uint32_t streams_max = 64;
    size_t head_bytes_max = size_t{32} * 1024;  // and what of a stream is on its way
    size_t body_bytes_max = size_t{64} * 1024;
    size_t target_bytes_max = 2048;
    Duration request_time_max = std::chrono::seconds(10);  // to come, since it is awaited
    Duration handler_time_max = std::chrono::seconds(3);   // until the handler has answered
    Duration answer_time_max = std::chrono::seconds(30);   // to be taken
    size_t answer_bytes_max = size_t{64} << 20U;  // of all that are on their way; one always may be
    unsigned stall_seconds_max = 10;              // of a reader that takes nothing
    Duration sweep_interval = std::chrono::seconds(1);  // how often these times are looked at
  };
  struct Callbacks {
    // Asked when the head of a request is there: an answer here is final, its body is not read.
    std::function<std::optional<HttpAnswer>(const HttpRequest&)> check;
    // Called with the whole request. Bodies are read and forgotten.
    std::function<void(const HttpRequest&, HttpReply)> handle;
    std::function<void(std::string_view why)> on_shortage;
  };

  // `socket` is listening and non-blocking.
  static Result<std::unique_ptr<HttpServer>> open(Loop& loop, Poller& poller, UniqueFd socket,
                                                  const Limits& limits, Callbacks callbacks);
  // Ends what is under way.
  ~HttpServer() override;
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Streams that had nothing to say are asked again.
  void wake_streams();

  size_t connections() const { return connections_.size(); }
  uint32_t streams() const { return streams_; }

 private:
  struct Connection;
  struct Call;
  struct DaemonDeleter {
    void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
  };
  struct Glue;  // between the library's C callbacks and the methods here

  HttpServer(Loop& loop, Poller& poller, const Limits& limits, Callbacks callbacks);
  bool start(UniqueFd socket);

  void on_ready(unsigned tag, Readiness readiness) override;
  void run();
  void accept(UniqueFd client);
  bool make_room(const Address& peer);
  void cut(Connection& connection);
  void sweep();
  void sweep(Connection& connection);

  void* begin_call(Connection& connection, const char* target);
  bool serve(Call& call, const char* method, size_t& body_bytes);
  bool read_head(Call& call, const char* method);
  bool ask(Call& call);
  void take_answer(uint64_t call_id, HttpAnswer answer);
  bool send(Call& call);
  void replace_what_is_too_much(Call& call);
  ssize_t read_stream(Call& call, char* out, size_t bytes_max);
  void suspend(Call& call);
  void resume(Call& call);
  void end_call(Call& call);

  Loop& loop_;
  Poller& poller_;
  const Limits limits_;
  const Callbacks callbacks_;
  std::list<Connection> connections_;
  std::unordered_map<uint64_t, Call*> calls_;
  uint64_t next_call_id_ = 1;
  uint32_t streams_ = 0;
  size_t answer_bytes_ = 0;  // on their way
  const std::shared_ptr<HttpServer*> presence_ = std::make_shared<HttpServer*>(this);
  std::unique_ptr<MHD_Daemon, DaemonDeleter> daemon_;
  int epoll_ = -1;  // the daemon's
  Timer run_due_;
  Timer sweep_due_;
  std::unique_ptr<HttpAcceptor> acceptor_;
};

}  // namespace sluice
