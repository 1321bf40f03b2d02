#include "sluice/proxy/unhealthy_closer.h"

#include <algorithm>
#include <utility>

#include "sluice/proxy/session.h"

namespace sluice {

UnhealthyCloser::UnhealthyCloser(Loop& loop, const Sessions& sessions)
    : loop_(loop), sessions_(sessions), next_step_(loop, [this] { step(); }) {}

void UnhealthyCloser::close_sessions_of(std::shared_ptr<const Backend> backend, Duration over) {
  std::erase_if(closings_, [&](const Closing& closing) { return closing.backend == backend; });
  // The others' next step comes in its own time, however many turn unhealthy meanwhile.
  Closing closing{.backend = std::move(backend), .began = loop_.now(), .over = over};
  if (!close_some(closing)) return;
  closings_.push_back(closing);
  if (!next_step_.is_running()) next_step_.start(kStep);
}

void UnhealthyCloser::step() {
  for (auto closing = closings_.begin(); closing != closings_.end();) {
    closing = close_some(*closing) ? closing + 1 : closings_.erase(closing);
  }
  if (!closings_.empty()) next_step_.start(kStep);
}

bool UnhealthyCloser::close_some(Closing& closing) {
  if (closing.backend->health() != Health::unhealthy) return false;
  std::vector<Session*> left;
  for (const auto& session : sessions_) {
    if (session->backend() == closing.backend.get()) left.push_back(session.get());
  }
  // As many in all as the time that has passed is of the whole, the first of them at once: a few
  // sessions take the whole time too.
  const size_t total = closing.ended + left.size();
  const Duration passed = loop_.now() - closing.began;
  const double part = passed >= closing.over ? 1
                                             : static_cast<double>(passed.count()) /
                                                   static_cast<double>(closing.over.count());
  const size_t due = std::min(total, static_cast<size_t>(part * static_cast<double>(total)) + 1);
  const size_t count = due - std::min(due, closing.ended);
  closing.ended += count;
  for (size_t i = 0; i < count; ++i) left[i]->cut(EndReason::backend_unhealthy);
  return count < left.size();
}

}  // namespace sluice
