// What is left of a session when it has ended: the facts of its access log line.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "sluice/base/time.h"
#include "sluice/core/backend.h"
#include "sluice/core/decision.h"
#include "sluice/net/socket_address.h"
#include "sluice/proxy/end_reason.h"
#include "sluice/proxy/listener.h"

namespace sluice {

struct SessionRecord {
  TimePoint ended_at;
  std::shared_ptr<const Listener> listener;
  PeerAddress client;
  std::shared_ptr<const Backend> backend;  // the last one tried; null when there was none
  uint32_t attempts = 0;                   // connects begun
  Decision decision;                       // of the last attempt: why it went to that backend
  uint64_t received = 0;                   // bytes from the client, handed to the backend
  uint64_t sent = 0;                       // bytes from the backend, handed to the client
  std::optional<Duration> connect_time;    // accept to connected; nothing when it never was
  Duration duration{};                     // accept to end
  EndReason reason = EndReason::shutdown;
};

// Takes a batch of records off a worker's hands; called on the worker's thread, must not block.
using SessionRecordSink = std::function<void(std::vector<SessionRecord>)>;

}  // namespace sluice
