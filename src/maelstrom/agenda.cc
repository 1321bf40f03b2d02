#include "maelstrom/agenda.h"

#include <utility>

namespace sluice {

Agenda::Place Agenda::add(TimePoint at, Task task) {
  const Place place{.at = at, .number = next_number_++};
  tasks_.emplace(place, std::move(task));
  return place;
}

std::optional<TimePoint> Agenda::next() const {
  if (tasks_.empty()) return std::nullopt;
  return tasks_.begin()->first.at;
}

void Agenda::run_due(TimePoint now) {
  while (!tasks_.empty() && tasks_.begin()->first.at <= now) {
    // Out of the agenda first: the task may cancel or add whatever it likes.
    const auto due = tasks_.extract(tasks_.begin());
    due.mapped()(now);
  }
}

}  // namespace sluice
