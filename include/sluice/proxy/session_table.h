// A worker's sessions, each in a slot of its own that it keeps for life: so an id leads to it at
// once, and whoever looks at them bit by bit finds everyone who stays. What has become free is used
// again, the latest first. Owns the sessions; used on the worker's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sluice/proxy/live_session.h"

namespace sluice {

class Session;

class SessionTable {
 public:
  SessionTable();
  ~SessionTable();
  SessionTable(const SessionTable&) = delete;
  SessionTable& operator=(const SessionTable&) = delete;

  size_t size() const { return slots_.size() - free_.size(); }
  bool empty() const { return size() == 0; }

  // Tells it its slot.
  Session& add(std::unique_ptr<Session> session);
  std::unique_ptr<Session> take(const Session& session);

  // Slots are counted from 0; an empty one has null.
  size_t slots() const { return slots_.size(); }
  Session* at(size_t slot) const { return slots_[slot].get(); }
  // Null when it is not there (any more).
  Session* find(const SessionId& id) const;

 private:
  std::vector<std::unique_ptr<Session>> slots_;
  std::vector<uint32_t> free_;
};

}  // namespace sluice
