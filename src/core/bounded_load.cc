#include "bounded_load.h"

#include <algorithm>

namespace sluice {

void BoundedLoad::adopt(BackendList candidates) {
  candidates_ = candidates;
  if (!max_load_) return;
  seen_.assign(candidates.size(), Share{});
  total_ = Share{};
  next_look_ = 0;
  for (size_t i = 0; i < candidates.size(); ++i) look_again(i);
  passed_over_.reserve(candidates.size());
  ordered_.reserve(candidates.size());
}

void BoundedLoad::begin() {
  if (!max_load_) return;
  declined_ = Share{};
  passed_over_.clear();
  const size_t looks = std::min(kLooksPerPick, candidates_.size());
  for (size_t i = 0; i < looks; ++i) {
    look_again(next_look_);
    next_look_ = next_look_ + 1 == candidates_.size() ? 0 : next_look_ + 1;
  }
}

bool BoundedLoad::offer(size_t index, Balancer::Accept accept) {
  if (!max_load_) return candidates_[index]->weight() > 0 && accept(*candidates_[index]);
  const Share share = look_at(index);
  if (share.weight == 0) return false;
  if (has_room(share, total_)) return ask(index, accept);
  passed_over_.push_back(index);
  return false;
}

std::optional<size_t> BoundedLoad::offer_passed_over(Balancer::Accept accept) {
  if (passed_over_.empty()) return std::nullopt;
  const auto chosen = offer_within_the_bound(accept);
  return chosen ? chosen : offer_by_load(accept);
}

std::optional<size_t> BoundedLoad::offer_within_the_bound(Balancer::Accept accept) {
  size_t kept = 0;
  for (const size_t index : passed_over_) {
    const Share share = look_at(index);
    const Share left = {total_.connections - declined_.connections,
                        total_.weight - declined_.weight};
    if (!has_room(share, left)) {
      passed_over_[kept++] = index;
    } else if (ask(index, accept)) {
      return index;
    }
  }
  passed_over_.resize(kept);
  return std::nullopt;
}

std::optional<size_t> BoundedLoad::offer_by_load(Balancer::Accept accept) {
  ordered_.clear();
  for (uint32_t turn = 0; turn < passed_over_.size(); ++turn) {
    const Load load = Load::of(*candidates_[passed_over_[turn]], turn);
    if (load.weight > 0) ordered_.add(load);
  }
  const auto taken = ordered_.offer(Load::is_more, [this, &accept](const Load& load) {
    return accept(*candidates_[passed_over_[load.turn]]);
  });
  return taken ? std::optional(passed_over_[taken->turn]) : std::nullopt;
}

// A weight of 0 has no part in the sums: its connections are those of earlier times.
BoundedLoad::Share BoundedLoad::look_at(size_t index) const {
  const uint32_t weight = candidates_[index]->weight();
  if (weight == 0) return {};
  return {candidates_[index]->active_connections(), weight};
}

void BoundedLoad::look_again(size_t index) {
  const Share now = look_at(index);
  Share& then = seen_[index];
  total_.connections += now.connections - then.connections;
  total_.weight += now.weight - then.weight;
  then = now;
}

// connections < ceil(x) is connections < x, for they are whole.
bool BoundedLoad::has_room(const Share& share, const Share& total) const {
  __extension__ using Wide = unsigned __int128;  // pedantic compilers want it marked
  return Wide{share.connections} * total.weight * 100 <
         Wide{total.connections + 1} * share.weight * *max_load_;
}

bool BoundedLoad::ask(size_t index, Balancer::Accept accept) {
  if (accept(*candidates_[index])) return true;
  look_again(index);
  declined_.connections += seen_[index].connections;
  declined_.weight += seen_[index].weight;
  return false;
}

}  // namespace sluice
