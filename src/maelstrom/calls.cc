#include "maelstrom/calls.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace sluice {

void Calls::call(std::string_view destination, std::string_view type, std::string_view members,
                 TimePoint deadline, OnEnd on_end) {
  const int64_t msg_id = writer_.request(destination, type, members);
  const auto place =
      agenda_.add(deadline, [this, msg_id](TimePoint now) { end(msg_id, nullptr, now); });
  open_.emplace(msg_id, Open{std::string(destination), place, std::move(on_end)});
}

void Calls::receive(const Message& answer, TimePoint now) {
  if (!answer.in_reply_to) return;
  const auto found = open_.find(*answer.in_reply_to);
  if (found == open_.end() || found->second.destination != answer.source) return;
  agenda_.cancel(found->second.deadline);
  end(*answer.in_reply_to, &answer, now);
}

void Calls::end(int64_t msg_id, const Message* answer, TimePoint now) {
  // Gone before anybody is told: whatever comes of it, this one has ended.
  const auto ended = open_.extract(msg_id);
  ended.mapped().on_end(answer, now);
}

void Calls::end_all(TimePoint now) {
  has_ended_ = true;
  std::vector<int64_t> msg_ids;
  for (const auto& [msg_id, open] : open_) msg_ids.push_back(msg_id);
  std::ranges::sort(msg_ids);
  for (const int64_t msg_id : msg_ids) {
    agenda_.cancel(open_.at(msg_id).deadline);
    end(msg_id, nullptr, now);
  }
}

}  // namespace sluice
