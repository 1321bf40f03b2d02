#include "sluice/proxy/worker_notices.h"

#include <algorithm>
#include <utility>

namespace sluice {

WorkerNotice WorkerNotices::take(Cause& cause, TimePoint now) {
  cause.told_at = now;
  WorkerNotice notice = cause.notice;
  cause.notice.times = 0;
  return notice;
}

std::optional<WorkerNotice> WorkerNotices::note(WorkerNotice::Kind kind, std::string_view listener,
                                                std::string_view why, TimePoint now) {
  const auto found = std::find_if(causes_.begin(), causes_.end(), [&](const Cause& cause) {
    const WorkerNotice& notice = cause.notice;
    return notice.kind == kind && notice.why == why && notice.listener == listener;
  });
  if (found == causes_.end()) {
    if (causes_.size() == kCausesMax) causes_.erase(causes_.begin());
    WorkerNotice notice{.kind = kind, .listener = std::string(listener), .why = std::string(why)};
    return take(causes_.emplace_back(Cause{.notice = std::move(notice), .told_at = now}), now);
  }
  ++found->notice.times;
  if (now - found->told_at < kInterval) return std::nullopt;
  return take(*found, now);
}

std::vector<WorkerNotice> WorkerNotices::take_due(TimePoint now) {
  std::vector<WorkerNotice> due;
  for (Cause& cause : causes_) {
    if (cause.notice.times > 0 && now - cause.told_at >= kInterval) due.push_back(take(cause, now));
  }
  return due;
}

bool WorkerNotices::has_counted() const {
  return std::any_of(causes_.begin(), causes_.end(),
                     [](const Cause& cause) { return cause.notice.times > 0; });
}

}  // namespace sluice
