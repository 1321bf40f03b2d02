#include "sluice/core/picker.h"

#include <algorithm>
#include <utility>

#include "client_key.h"
#include "sluice/core/cluster.h"
#include "sluice/core/spillover.h"

namespace sluice {
namespace {

// A balancer knows nothing of priorities.
bool makes_same_balancers(BalanceSettings one, const BalanceSettings& other) {
  one.overprovisioning = other.overprovisioning;
  return one == other;
}

}  // namespace

Picker::Picker(std::shared_ptr<const ClusterSnapshot> snapshot, Random random) : random_(random) {
  adopt(std::move(snapshot));
}

void Picker::adopt(std::shared_ptr<const ClusterSnapshot> snapshot) {
  const bool keeps_policy =
      snapshot_ && makes_same_balancers(snapshot_->settings.balance, snapshot->settings.balance);
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
  // One attempt is one connect, however often it has to be picked for.
  if (!settings.is_enabled || request.is_postponed) return search_all(request);
  RetryBudget& budget = snapshot_->cluster->retry_budget();
  const bool is_retry = !request.tried.empty();
  if (is_retry && !budget.allows_retry(settings, request.now)) {
    return tl::unexpected(Refusal::over_budget);
  }
  auto lease = search_all(request);
  if (lease) is_retry ? budget.count_retry(request.now) : budget.count_first_attempt(request.now);
  return lease;
}

Picker::Search Picker::begin_search(const PickRequest& request) {
  const ClusterSettings& settings = snapshot_->settings;
  Search search{.request = request, .decision = {}};
  search.decision.policy = settings.balance.policy;
  search.request.slow_start = settings.slow_start;
  if (snapshot_->levels.size() <= 1 && !settings.slow_start) return search;
  // Where the policy looks at the client, the same one draws the same again: it does not change
  // its backend with every connection.
  Random draws(looks_at_the_client(settings.balance.policy)
                   ? client_key(request, settings.balance, random_)
                   : random_.next());
  search.drawn_level = draw_level(snapshot_->levels, draws);
  // Where it goes by load, a young backend is offered according to its share: it declines nobody.
  const bool declines = settings.slow_start && !goes_by_load(settings.balance.policy);
  if (declines) search.draw = draws.fraction();
  return search;
}

tl::expected<Lease, Picker::Refusal> Picker::search_all(const PickRequest& request) {
  Search search = begin_search(request);
  if (is_full()) {
    // Nobody need be asked: the answer is known, and under overload it is the usual one.
    search.pass_over(Obstacle::limit);
    last_decision_ = search.decision;
    return tl::unexpected(Refusal::at_limit);
  }
  auto lease = pick_among(search);
  search.is_first_round = false;
  search.draw = 0;
  // Better one that is back only just than none.
  if (!lease && search.decision.passed_over(Obstacle::slow_start) > 0) lease = pick_among(search);
  if (!lease && !request.tried.empty()) {
    search.candidates = Candidates::tried;
    lease = pick_among(search);
  }
  last_decision_ = search.decision;
  if (lease) return std::move(*lease);
  return tl::unexpected(search.is_at_limit ? Refusal::at_limit : Refusal::unavailable);
}

// Whether the whole cluster has as many connections as it may. Where nobody would be available even
// so, the search has to find out.
bool Picker::is_full() const {
  const std::optional<uint32_t>& most = snapshot_->settings.limits.of_cluster;
  const Cluster& cluster = *snapshot_->cluster;
  return most && cluster.active_connections() >= *most && cluster.available_backends() > 0;
}

std::optional<Lease> Picker::pick_among(Search& search) {
  std::optional<Lease> lease;
  visit_levels(snapshot_->levels, search.drawn_level, [&](size_t i) {
    const PriorityLevel& level = snapshot_->levels[i];
    std::optional<Permit> permit;
    const auto chosen = balancers_[i]->choose(search.request, [&](Backend& backend) {
      permit = ask(search, level, backend);
      return permit.has_value();
    });
    if (!chosen) return false;
    search.decision.is_trial = permit->is_trial;
    lease.emplace(snapshot_, level.backends[*chosen], *permit);
    return true;
  });
  return lease;
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
