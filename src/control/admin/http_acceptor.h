// Accepts HTTP clients from one listening socket on the control loop, in bounded batches. Out of
// descriptors it stops asking for a moment, so that nothing spins: clients wait in the kernel's
// queue. (libmicrohttpd's own accepting would spin then.)
#pragma once

#include <functional>
#include <string_view>

#include "sluice/base/unique_fd.h"
#include "sluice/net/loop.h"
#include "sluice/net/poller.h"

namespace sluice {

class HttpAcceptor final : public PollTarget {
 public:
  // In one turn of the loop.
  static constexpr int kBatchMax = 4;

  struct Reports {
    std::function<void(UniqueFd client)> on_client;
    std::function<void()> on_batch_end;
    std::function<void(std::string_view why)> on_shortage;
  };
  // `socket` is listening and non-blocking.
  HttpAcceptor(Loop& loop, Poller& poller, UniqueFd socket, Reports reports);
  ~HttpAcceptor() override;

  // Clients wait in the kernel's queue until watch().
  void hold();
  void watch();

  void on_ready(unsigned tag, Readiness readiness) override;

 private:
  void pause(int error);

  Poller& poller_;
  const UniqueFd socket_;
  const Reports reports_;
  Timer accept_again_;
  bool is_watching_ = false;
};

}  // namespace sluice
