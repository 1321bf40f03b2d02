#include "sluice/proxy/unhealthy_closer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sluice/proxy/session.h"

namespace sluice {
namespace {

// Until more than a turn's worth goes on. (libuv runs a timer of zero in the same turn again.)
constexpr Duration kRestDelay = std::chrono::milliseconds(1);

}  // namespace

UnhealthyCloser::UnhealthyCloser(Loop& loop, const SessionTable& sessions)
    : loop_(loop), sessions_(sessions), next_step_(loop, [this] { step(); }) {}

void UnhealthyCloser::close_sessions_of(std::shared_ptr<const Backend> backend, Duration over) {
  const Backend* key = backend.get();
  closings_.erase(key);
  asked_.insert_or_assign(
      key, Closing{.backend = std::move(backend), .began = loop_.now(), .over = over, .left = {}});
  // The next step comes in its own time, however many turn unhealthy meanwhile.
  if (!next_step_.is_running()) step();
}

void UnhealthyCloser::forget(Session& session) {
  if (closings_.empty()) return;
  const auto closing = closings_.find(session.backend());
  if (closing != closings_.end()) closing->second.left.erase(&session);
}

void UnhealthyCloser::step() {
  const bool has_looked = look_for_sessions();
  size_t ends_left = kEndsPerTurnMax;
  for (auto& [backend, closing] : closings_) end_due(closing, ends_left);
  std::erase_if(closings_, [](const auto& entry) { return entry.second.is_over(); });
  // One look a step, also when nobody was found.
  if (closings_.empty() && !has_looked) return;
  next_step_.start(ends_left == 0 ? kRestDelay : kStep);
}

bool UnhealthyCloser::look_for_sessions() {
  std::erase_if(asked_, [](const auto& entry) {
    return entry.second.backend->health() != Health::unhealthy;
  });
  if (asked_.empty()) return false;
  std::vector<Session*> connecting;
  for (size_t slot = 0; slot < sessions_.slots(); ++slot) {
    Session* session = sessions_.at(slot);
    if (session == nullptr) continue;
    if (const auto found = asked_.find(session->backend()); found != asked_.end()) {
      found->second.left.insert(session);
    } else if (asked_.contains(session->connecting_to())) {
      connecting.push_back(session);
    }
  }
  closings_.merge(asked_);
  asked_.clear();
  // One that is refused then is taken out of the sessions, and freed when the turn is over.
  for (Session* session : connecting) session->give_up_attempt();
  return true;
}

// As many in all as the time that has passed is of the whole, the first of them at once: a few
// sessions take the whole time too.
size_t UnhealthyCloser::Closing::due(TimePoint now) const {
  const size_t total = ended + left.size();
  const Duration passed = now - began;
  const double part =
      passed >= over ? 1 : static_cast<double>(passed.count()) / static_cast<double>(over.count());
  const size_t due = std::min(total, static_cast<size_t>(part * static_cast<double>(total)) + 1);
  return due - std::min(due, ended);
}

void UnhealthyCloser::end_due(Closing& closing, size_t& ends_left) {
  if (closing.is_over()) return;
  const size_t count = std::min(closing.due(loop_.now()), ends_left);
  closing.ended += count;
  ends_left -= count;
  for (size_t i = 0; i < count; ++i) (*closing.left.begin())->cut(EndReason::backend_unhealthy);
}

}  // namespace sluice
