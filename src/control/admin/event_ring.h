// The last transitions, numbered, as server-sent events (HTML standard, 9.2): a reader that comes
// back with the id of the last one it has seen goes on where it was, and is told how many it has
// missed for good. What a reader costs is its position, so a slow one costs nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

class EventRing {
 public:
  static constexpr size_t kEventsMax = 1024;
  // Of one piece; an event is not cut in two.
  static constexpr size_t kPieceBytes = 8192;

  // `epoch` is this process's: the numbers begin anew with each.
  explicit EventRing(std::string epoch) : epoch_(std::move(epoch)) {}

  // `data` is one line of JSON.
  void add(std::string data);

  // Where a reader goes on that has seen that event last. Without an id: with what comes next; with
  // one of another epoch: at the beginning, because all of it is new to that reader.
  uint64_t position_after(std::optional<std::string_view> last_id) const;

  // The first words to a reader that begins at `position`: the id before that and, with the
  // `version`, the last event's, up to which all is history by now.
  std::string greeting(uint64_t position, std::string_view version) const;
  // The events from `position` on, which is moved behind them; empty when there are none yet.
  std::string read(uint64_t& position) const;

  // Of the last one; 0 comes before the first.
  std::string last_id() const { return id_of(end_ - 1); }

 private:
  std::string id_of(uint64_t number) const;
  uint64_t first() const { return end_ - events_.size(); }

  const std::string epoch_;
  std::deque<std::string> events_;
  uint64_t end_ = 1;  // the next one's number
};

}  // namespace sluice
