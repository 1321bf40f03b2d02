// What happens to clusters by the time alone: a breaker whose reopening time has come is told of,
// and outliers are judged each second. The process sleeps on while no cluster has use for it. Lives
// on the control loop.
#pragma once

#include "sluice/base/time.h"
#include "sluice/control/cluster_control.h"
#include "sluice/control/process_log.h"
#include "sluice/net/loop.h"

namespace sluice {

class ClusterTimers {
 public:
  // All of them outlive this object.
  ClusterTimers(Loop& loop, const ClusterControls& clusters, ProcessLog& log);

  // Begins to judge outliers; again, when a cluster may have use for it that had none.
  void judge_outliers();

  // A breaker has opened until then.
  void await_half_open(TimePoint at);

 private:
  void announce_half_open();

  Loop& loop_;
  const ClusterControls& clusters_;
  ProcessLog& log_;
  Timer half_open_due_;
  TimePoint half_open_at_{};  // while it runs
  Timer outliers_due_;
};

}  // namespace sluice
