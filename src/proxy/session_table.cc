#include "sluice/proxy/session_table.h"

#include <utility>

#include "sluice/proxy/session.h"

namespace sluice {

SessionTable::SessionTable() = default;
SessionTable::~SessionTable() = default;

Session& SessionTable::add(std::unique_ptr<Session> session) {
  Session& added = *session;
  if (free_.empty()) {
    added.set_slot(slots_.size());
    slots_.push_back(std::move(session));
  } else {
    added.set_slot(free_.back());
    slots_[free_.back()] = std::move(session);
    free_.pop_back();
  }
  return added;
}

std::unique_ptr<Session> SessionTable::take(const Session& session) {
  const size_t slot = session.slot();
  std::unique_ptr<Session> taken = std::move(slots_[slot]);
  free_.push_back(static_cast<uint32_t>(slot));
  if (empty()) {
    // Begins anew, without the holes that a burst has left.
    slots_.clear();
    free_.clear();
  }
  return taken;
}

Session* SessionTable::find(const SessionId& id) const {
  if (id.slot >= slots_.size()) return nullptr;
  Session* session = slots_[id.slot].get();
  return session != nullptr && session->id() == id ? session : nullptr;
}

}  // namespace sluice
