#include "sluice/core/picker.h"

#include <algorithm>
#include <utility>

#include "sluice/core/cluster.h"
#include "sluice/core/spillover.h"

namespace sluice {

Picker::Picker(std::shared_ptr<const ClusterSnapshot> snapshot, Random random) : random_(random) {
  adopt(std::move(snapshot));
}

void Picker::adopt(std::shared_ptr<const ClusterSnapshot> snapshot) {
  const bool keeps_policy = snapshot_ && snapshot_->settings.balance == snapshot->settings.balance;
  std::vector<std::unique_ptr<Balancer>> balancers;
  for (const PriorityLevel& level : snapshot->levels) {
    auto balancer = keeps_policy ? take_balancer(level.priority) : nullptr;
    if (!balancer) balancer = make_balancer(snapshot->settings.balance, Random(random_.next()));
    balancer->adopt(level.backends);
    balancers.push_back(std::move(balancer));
  }
  balancers_ = std::move(balancers);
  // Last, because the balancers look at the old candidates while they adopt the new ones.
  snapshot_ = std::move(snapshot);
}

std::unique_ptr<Balancer> Picker::take_balancer(uint32_t priority) {
  for (size_t i = 0; i < balancers_.size(); ++i) {
    if (snapshot_->levels[i].priority == priority) return std::move(balancers_[i]);
  }
  return nullptr;
}

std::optional<Lease> Picker::pick(const PickRequest& request) {
  const size_t drawn = draw_level(snapshot_->levels, random_);
  auto lease = pick_among(Candidates::untried, request, drawn);
  if (!lease && !request.tried.empty()) lease = pick_among(Candidates::tried, request, drawn);
  return lease;
}

std::optional<Lease> Picker::pick_among(Candidates candidates, const PickRequest& request,
                                        size_t drawn) {
  const auto tried = request.tried;
  Cluster& cluster = *snapshot_->cluster;
  std::optional<Lease> lease;
  visit_levels(snapshot_->levels, drawn, [&](size_t i) {
    const PriorityLevel& level = snapshot_->levels[i];
    std::optional<Permit> permit;
    const auto chosen = balancers_[i]->choose(request, [&](Backend& backend) {
      const bool was_tried = std::find(tried.begin(), tried.end(), &backend) != tried.end();
      if (was_tried != (candidates == Candidates::tried)) return false;
      permit = cluster.admit(*snapshot_, level, backend, request.now);
      return permit.has_value();
    });
    if (chosen) lease.emplace(snapshot_, level.backends[*chosen], *permit);
    return lease.has_value();
  });
  return lease;
}

}  // namespace sluice
