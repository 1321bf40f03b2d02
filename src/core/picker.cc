#include "sluice/core/picker.h"

#include <algorithm>
#include <utility>

#include "sluice/core/cluster.h"

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
    balancer->adopt(level);
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

tl::expected<Lease, Picker::Refusal> Picker::pick(const PickRequest& request) {
  const RetryBudgetSettings& settings = snapshot_->settings.retry_budget;
  if (!settings.is_enabled) return search_all(request);
  RetryBudget& budget = snapshot_->cluster->retry_budget();
  const bool is_retry = !request.tried.empty();
  if (is_retry && !budget.allows_retry(settings, request.now)) {
    return tl::unexpected(Refusal::over_budget);
  }
  auto lease = search_all(request);
  if (lease) is_retry ? budget.count_retry(request.now) : budget.count_first_attempt(request.now);
  return lease;
}

tl::expected<Lease, Picker::Refusal> Picker::search_all(const PickRequest& request) {
  Search search{.request = request, .decision = {}};
  if (snapshot_->settings.slow_start) search.draw = random_.fraction();
  auto lease = pick_among(search);
  search.is_first_round = false;
  search.draw = 0;
  // Better one that is back only just than none.
  if (!lease && search.decision.passed_over(Obstacle::slow_start) > 0) lease = pick_among(search);
  if (!lease && !request.tried.empty()) {
    search.candidates = Candidates::tried;
    lease = pick_among(search);
  }
  if (lease) return std::move(*lease);
  return tl::unexpected(search.is_at_limit ? Refusal::at_limit : Refusal::unavailable);
}

std::optional<Lease> Picker::pick_among(Search& search) {
  for (size_t i = 0; i < balancers_.size(); ++i) {
    const PriorityLevel& level = snapshot_->levels[i];
    std::optional<Permit> permit;
    const auto chosen = balancers_[i]->choose(search.request, [&](Backend& backend) {
      permit = ask(search, level, backend);
      return permit.has_value();
    });
    if (!chosen) continue;
    search.decision.is_trial = permit->is_trial;
    return Lease(snapshot_, level.backends[*chosen], *permit, search.decision);
  }
  return std::nullopt;
}

std::optional<Permit> Picker::ask(Search& search, const PriorityLevel& level, Backend& backend) {
  const auto tried = search.request.tried;
  const bool was_tried = std::find(tried.begin(), tried.end(), &backend) != tried.end();
  if (was_tried != (search.candidates == Candidates::tried)) {
    if (was_tried) search.pass_over(Obstacle::tried);
    return std::nullopt;
  }
  const auto admission =
      snapshot_->cluster->admit(*snapshot_, level, backend, search.request.now, search.draw);
  if (admission) return *admission;
  search.pass_over(admission.error());
  return std::nullopt;
}

}  // namespace sluice
