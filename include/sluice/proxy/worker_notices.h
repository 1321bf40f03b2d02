// What a worker tells the control loop about limits and shortages: of each cause at once, then at
// most once a second, with how often it came. A notice for every connection would fill the control
// loop's mailbox. Pure: time is an argument. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/time.h"

namespace sluice {

// Something the process should say once, not once per connection.
struct WorkerNotice {
  enum class Kind : uint8_t { accept_paused, local_error };
  Kind kind;
  std::string listener;
  std::string why;
  uint64_t times = 1;
};

class WorkerNotices {
 public:
  static constexpr Duration kInterval = std::chrono::seconds(1);
  static constexpr size_t kCausesMax = 256;

  // A notice to hand on; nothing when it is too soon, and counted.
  std::optional<WorkerNotice> note(WorkerNotice::Kind kind, std::string_view listener,
                                   std::string_view why, TimePoint now);
  // What has been counted and may be handed on.
  std::vector<WorkerNotice> take_due(TimePoint now);
  bool has_counted() const;

 private:
  struct Cause {
    WorkerNotice notice;  // `times`: since it was last handed on
    TimePoint told_at;
  };
  static WorkerNotice take(Cause& cause, TimePoint now);

  std::vector<Cause> causes_;  // few: looked through
};

}  // namespace sluice
