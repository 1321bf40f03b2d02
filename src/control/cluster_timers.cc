#include "sluice/control/cluster_timers.h"

#include <chrono>
#include <optional>

namespace sluice {
namespace {

constexpr Duration kOutlierInterval = std::chrono::seconds(1);

}  // namespace

ClusterTimers::ClusterTimers(Loop& loop, const ClusterControls& clusters, ProcessLog& log)
    : loop_(loop),
      clusters_(clusters),
      log_(log),
      half_open_due_(loop, [this] { announce_half_open(); }),
      outliers_due_(loop, [this] { judge_outliers(); }) {}

void ClusterTimers::judge_outliers() {
  bool is_wanted = false;
  for (const auto& cluster : clusters_) {
    is_wanted = is_wanted || cluster->config().settings.outlier_detection.is_enabled;
    cluster->cluster()->judge_outliers(loop_.now());
    log_.refused_ejections(*cluster->cluster());
  }
  if (is_wanted) outliers_due_.start(kOutlierInterval);
}

void ClusterTimers::await_half_open(TimePoint at) {
  if (half_open_due_.is_running() && half_open_at_ <= at) return;
  half_open_at_ = at;
  half_open_due_.start(at - loop_.now());
}

void ClusterTimers::announce_half_open() {
  std::optional<TimePoint> next;
  for (const auto& cluster : clusters_) {
    const auto due = cluster->cluster()->announce_half_open(loop_.now());
    if (due && (!next || *due < *next)) next = due;
  }
  if (next) await_half_open(*next);
}

}  // namespace sluice
