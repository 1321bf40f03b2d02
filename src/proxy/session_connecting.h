// What a session needs only until a backend is connected; freed then.
#pragma once

#include "sluice/base/time.h"
#include "sluice/core/picker.h"
#include "sluice/proxy/session.h"

namespace sluice {

struct Session::Connecting {
  // What the session is waiting for.
  enum class Wait : uint8_t {
    verdict,       // of the connect under way
    full_backlog,  // of a unix backend: connect again in a moment
    own_shortage,  // of our own: pick again in a moment
  };

  Lease lease;  // of the attempt under way
  TriedBackends tried;
  std::shared_ptr<const Backend> last_tried;
  TimePoint deadline{};  // of all attempts together
  TimePoint attempt_began{};
  TimePoint attempt_deadline{};  // of this one
  Wait wait = Wait::verdict;
};

}  // namespace sluice
