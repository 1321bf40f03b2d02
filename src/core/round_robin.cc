#include "round_robin.h"

#include <algorithm>
#include <unordered_map>

namespace sluice {

void RoundRobin::adopt(const PriorityLevel& level) {
  const BackendList candidates = level.backends;
  std::unordered_map<const Backend*, VirtualTime> deadlines;
  for (const Turn& turn : turns_) deadlines.emplace(candidates_[turn.index].get(), turn.deadline);
  const VirtualTime newcomers_from = head();
  const size_t count = candidates.size();
  const size_t start = random_.below(count);

  candidates_ = candidates;
  turns_.clear();
  idle_.clear();
  turns_.reserve(count);
  passed_.reserve(count);
  idle_.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const auto index = static_cast<uint32_t>(i);
    const uint32_t weight = candidates[i]->weight();
    if (const auto kept = deadlines.find(candidates[i].get()); kept != deadlines.end()) {
      turns_.push_back({kept->second, index});
    } else if (weight == 0) {
      idle_.push_back(index);
    } else if (!deadlines.empty()) {
      turns_.push_back({newcomers_from + stride(weight), index});
    } else {
      // Each in a phase of its own: started together, a heavy one would have its turns in a row.
      const size_t position = (i + count - start) % count;
      turns_.push_back({now_ + stride(weight) / (2 * count) * (2 * position + 1), index});
    }
  }
  std::make_heap(turns_.begin(), turns_.end(), is_later);
}

std::optional<size_t> RoundRobin::choose(const PickRequest&, Accept accept) {
  rebase();
  wake_next_idle();
  std::optional<size_t> chosen = offer_turns(accept);
  if (!chosen && wake_all_idle()) chosen = offer_turns(accept);
  put_back_passed();
  return chosen;
}

std::optional<size_t> RoundRobin::offer_turns(Accept accept) {
  while (!turns_.empty()) {
    std::pop_heap(turns_.begin(), turns_.end(), is_later);
    Turn turn = turns_.back();
    turns_.pop_back();
    Backend& candidate = *candidates_[turn.index];
    const uint32_t weight = candidate.weight();
    if (weight == 0) {
      idle_.push_back(turn.index);
      continue;
    }
    now_ = turn.deadline;
    turn.deadline += stride(weight);
    passed_.push_back({turn, stride(weight)});
    if (accept(candidate)) return turn.index;
  }
  return std::nullopt;
}

void RoundRobin::put_back_passed() {
  for (const PassedTurn& passed : passed_) {
    Turn turn = passed.next;
    if (turn.deadline < now_) {
      const VirtualTime missed_turns = (now_ - turn.deadline + passed.stride - 1) / passed.stride;
      turn.deadline += missed_turns * passed.stride;
    }
    turns_.push_back(turn);
    std::push_heap(turns_.begin(), turns_.end(), is_later);
  }
  passed_.clear();
}

// The virtual time that those who come in start from.
RoundRobin::VirtualTime RoundRobin::head() const {
  return turns_.empty() ? now_ : turns_.front().deadline;
}

void RoundRobin::wake_next_idle() {
  if (idle_.empty()) return;
  next_idle_ = (next_idle_ + 1) % idle_.size();
  wake(next_idle_);
}

bool RoundRobin::wake_all_idle() {
  bool has_woken = false;
  for (size_t i = idle_.size(); i > 0; --i) has_woken = wake(i - 1) || has_woken;
  return has_woken;
}

bool RoundRobin::wake(size_t position) {
  const uint32_t index = idle_[position];
  const uint32_t weight = candidates_[index]->weight();
  if (weight == 0) return false;
  idle_[position] = idle_.back();
  idle_.pop_back();
  turns_.push_back({head() + stride(weight), index});
  std::push_heap(turns_.begin(), turns_.end(), is_later);
  return true;
}

void RoundRobin::rebase() {
  if (now_ < kRebaseAt) return;
  for (Turn& turn : turns_) turn.deadline -= now_;
  now_ = 0;
}

}  // namespace sluice
