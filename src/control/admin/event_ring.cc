#include "event_ring.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "sluice/base/json.h"

namespace sluice {

void EventRing::add(std::string data) {
  if (events_.size() == kEventsMax) events_.pop_front();
  events_.push_back(std::move(data));
  ++end_;
}

std::string EventRing::id_of(uint64_t number) const { return fmt::format("{}-{}", epoch_, number); }

uint64_t EventRing::position_after(std::optional<std::string_view> last_id) const {
  if (!last_id) return end_;
  const size_t dash = last_id->rfind('-');
  if (dash == std::string_view::npos || last_id->substr(0, dash) != epoch_) return 1;
  const std::string_view digits = last_id->substr(dash + 1);
  uint64_t number = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool is_ours =
      error == std::errc{} && stop == digits.data() + digits.size() && number < end_;
  return is_ours ? number + 1 : 1;
}

std::string EventRing::greeting(uint64_t position, std::string_view version) const {
  std::string data;
  JsonWriter json(data);
  json.begin_object();
  json.member("version", version);
  json.member("newest", last_id());
  json.end_object();
  return fmt::format("retry: 1000\nid: {}\nevent: hello\ndata: {}\n\n", id_of(position - 1), data);
}

std::string EventRing::read(uint64_t& position) const {
  std::string out;
  if (position < first()) {
    fmt::format_to(std::back_inserter(out), "event: missed\ndata: {{\"missed\":{}}}\n\n",
                   first() - position);
    position = first();
  }
  for (; position < end_ && out.size() < kPieceBytes; ++position) {
    fmt::format_to(std::back_inserter(out), "id: {}\nevent: transition\ndata: {}\n\n",
                   id_of(position), events_[position - first()]);
  }
  return out;
}

}  // namespace sluice
