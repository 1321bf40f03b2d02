#include "admin_events.h"

#include <utility>

#include "build_info.h"

namespace sluice {

AdminEvents::AdminEvents(Loop& loop, std::string epoch, std::function<void()> wake)
    : ring_(std::move(epoch)),
      beat_due_(loop, [this] { beat(); }),
      wake_due_(loop, std::move(wake)) {
  beat_due_.start(kHeartbeatInterval);
}

void AdminEvents::add(std::string data) {
  ring_.add(std::move(data));
  // Once for all that come in the same turn.
  if (!wake_due_.is_running()) wake_due_.start(Duration::zero());
}

void AdminEvents::beat() {
  ++beats_;
  wake_due_.start(Duration::zero());
  beat_due_.start(kHeartbeatInterval);
}

HttpAnswer AdminEvents::follow(const AdminCall& call) {
  auto last_id = call.request.header("Last-Event-ID");
  if (!last_id) last_id = call.target.parameter("after");
  const uint64_t begin = ring_.position_after(last_id);
  HttpAnswer answer;
  answer.content_type = "text/event-stream";
  answer.stream = [this, position = begin, beats = beats_,
                   is_greeted = false]() mutable -> std::optional<std::string> {
    if (!std::exchange(is_greeted, true)) return ring_.greeting(position, kVersion);
    std::string events = ring_.read(position);
    const bool is_beat_due = std::exchange(beats, beats_) != beats_;
    if (events.empty() && is_beat_due) return ": heartbeat\n\n";
    return events;
  };
  return answer;
}

}  // namespace sluice
