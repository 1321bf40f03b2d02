// A small HTTP/1.1 server on the control loop's thread: libmicrohttpd does the protocol, our loop
// watches its epoll descriptor and keeps its time. Knows nothing of Sluice.
//
// Here is who is connected and for how long; what they ask and are answered is HttpCalls'. Every
// client is bounded in time and memory, however slow, large or many, and all of them in what they
// take of the loop's time. Who comes when the house is full takes the place of the one who has kept
// us waiting longest.
#pragma once

#include <microhttpd.h>

#include <functional>
#include <list>
#include <memory>
#include <string_view>

#include "http_acceptor.h"
#include "http_calls.h"
#include "http_connection.h"
#include "http_limits.h"
#include "sluice/base/function_ref.h"
#include "sluice/base/result.h"
#include "sluice/net/loop.h"
#include "sluice/net/poller.h"
#include "work_share.h"

namespace sluice {

class HttpServer final : private PollTarget {
 public:
  using Limits = HttpLimits;
  struct Callbacks {
    HttpCalls::Check check;
    HttpCalls::Handle handle;
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
  // Whether there are any of such peers.
  bool has_streams(FunctionRef<bool(const Address& peer)> is_meant) const;
  // Those of such peers are cut off.
  void end_streams(FunctionRef<bool(const Address& peer)> is_meant);

  // Of work that was done for clients outside of their requests' handling: it counts as their part
  // of the loop's time all the same.
  void count_work(Duration took);

  size_t connections() const { return connections_.size(); }
  uint32_t streams() const { return calls_.streams(); }

 private:
  struct DaemonDeleter {
    void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
  };

  HttpServer(Loop& loop, Poller& poller, const Limits& limits, Callbacks callbacks);
  bool start(UniqueFd socket);
  static void on_connection(void* self, MHD_Connection* handle, void** context,
                            MHD_ConnectionNotificationCode code);

  void on_ready(unsigned tag, Readiness readiness) override;
  void run();
  void rest(Duration span);
  void go_on();
  void accept(UniqueFd client);
  bool make_room(const Address& peer);
  void cut(HttpConnection& connection);
  void sweep();
  void sweep(HttpConnection& connection);

  Loop& loop_;
  Poller& poller_;
  const Limits limits_;
  const std::function<void(std::string_view why)> on_shortage_;
  HttpCalls calls_;
  std::list<HttpConnection> connections_;
  std::unique_ptr<MHD_Daemon, DaemonDeleter> daemon_;
  int epoll_ = -1;  // the daemon's
  WorkShare work_share_;
  bool is_resting_ = false;
  Timer run_due_;
  Timer sweep_due_;
  Timer rest_over_;
  std::unique_ptr<HttpAcceptor> acceptor_;
};

}  // namespace sluice
