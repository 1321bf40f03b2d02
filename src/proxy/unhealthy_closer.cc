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
  const Closing closing{.backend = std::move(backend), .until = loop_.now() + over};
  if (!close_some(closing)) return;
  closings_.push_back(closing);
  if (!next_step_.is_running()) next_step_.start(kStep);
}

void UnhealthyCloser::step() {
  std::erase_if(closings_, [this](const Closing& closing) { return !close_some(closing); });
  if (!closings_.empty()) next_step_.start(kStep);
}

bool UnhealthyCloser::close_some(const Closing& closing) {
  if (closing.backend->health() != Health::unhealthy) return false;
  std::vector<Session*> left;
  for (const auto& session : sessions_) {
    if (session->backend() == closing.backend.get()) left.push_back(session.get());
  }
  // An equal part of what is left in each step that is left, this one included.
  const Duration time_left = std::max(closing.until - loop_.now(), Duration::zero());
  const auto steps_left = static_cast<size_t>(time_left / kStep) + 1;
  const size_t count = (left.size() + steps_left - 1) / steps_left;
  for (size_t i = 0; i < count; ++i) left[i]->cut(EndReason::backend_unhealthy);
  return count < left.size();
}

}  // namespace sluice
