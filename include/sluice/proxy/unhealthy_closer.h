// Ends a worker's sessions with backends that have turned unhealthy, spread over a time so that
// their clients do not all come back at once; who is still connecting to one tries another at once.
// A backend that recovers meanwhile keeps the sessions that are left. Used on the worker's thread.
//
// The worker's sessions are looked at once for all backends that turned unhealthy within a step;
// after that, a step costs what it ends.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "sluice/base/time.h"
#include "sluice/core/backend.h"
#include "sluice/net/loop.h"
#include "sluice/proxy/session_table.h"

namespace sluice {

class Session;

class UnhealthyCloser {
 public:
  // `sessions` are the worker's; ending one takes it out.
  UnhealthyCloser(Loop& loop, const SessionTable& sessions);

  static constexpr Duration kStep = std::chrono::milliseconds(100);
  // In one turn of the loop; the others' next turn comes before the rest.
  static constexpr size_t kEndsPerTurnMax = 500;

  // The first of them end now (or with the next step, when there is one to come), the last when
  // `over` has passed.
  void close_sessions_of(std::shared_ptr<const Backend> backend, Duration over);

  // It has ended, of itself or by a step.
  void forget(Session& session);

 private:
  struct Closing {
    std::shared_ptr<const Backend> backend;
    TimePoint began;
    Duration over;
    std::unordered_set<Session*> left;
    size_t ended = 0;  // by a step

    bool is_over() const { return left.empty() || backend->health() != Health::unhealthy; }
    // How many more of them should have ended by now.
    size_t due(TimePoint now) const;
  };

  void step();
  // Whether it had to: somebody has asked.
  bool look_for_sessions();
  void end_due(Closing& closing, size_t& ends_left);

  Loop& loop_;
  const SessionTable& sessions_;
  std::unordered_map<const Backend*, Closing> asked_;  // whose sessions have not been looked for
  std::unordered_map<const Backend*, Closing> closings_;
  Timer next_step_;
};

}  // namespace sluice
