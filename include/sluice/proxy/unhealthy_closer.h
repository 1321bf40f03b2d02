// Ends a worker's sessions with backends that have turned unhealthy, spread over a time so that
// their clients do not all come back at once. Who recovers meanwhile keeps the sessions that are
// left. Used on the worker's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "sluice/base/time.h"
#include "sluice/core/backend.h"
#include "sluice/net/loop.h"

namespace sluice {

class Session;

class UnhealthyCloser {
 public:
  // `sessions` are the worker's; ending one takes it out. Looks at all of them at every step, every
  // kStep, while there is something to close.
  using Sessions = std::vector<std::unique_ptr<Session>>;
  UnhealthyCloser(Loop& loop, const Sessions& sessions);

  static constexpr Duration kStep = std::chrono::milliseconds(100);

  // The first of them end now, the last when `over` has passed.
  void close_sessions_of(std::shared_ptr<const Backend> backend, Duration over);

 private:
  struct Closing {
    std::shared_ptr<const Backend> backend;
    TimePoint began;
    Duration over;
    size_t ended = 0;
  };

  void step();
  // False when none is left, or none need be closed any more.
  bool close_some(Closing& closing);

  Loop& loop_;
  const Sessions& sessions_;
  std::vector<Closing> closings_;
  Timer next_step_;
};

}  // namespace sluice
