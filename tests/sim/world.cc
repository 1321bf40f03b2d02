#include "world.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

namespace sluice::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kBackends = 10;  // there may ever be
constexpr size_t kWorkers = 3;
constexpr Duration kClientsEvery = milliseconds(20);
constexpr Duration kConnectTakes = milliseconds(5);
constexpr Duration kProbesEvery = seconds(1);
constexpr Duration kProbeTimeout = milliseconds(500);
constexpr Duration kTruthLasts = seconds(40);
constexpr Duration kReloadsEvery = seconds(60);
constexpr Duration kAdoptionTakes = milliseconds(50);
constexpr Duration kOperatorActsEvery = seconds(15);
constexpr Duration kNewsTake = milliseconds(10);
constexpr Duration kAnnounceEvery = seconds(1);  // at the latest

}  // namespace

World::World(Options options)
    : options_(options),
      random_(options.seed),
      cluster_(std::make_shared<Cluster>(
          "web", [this](const Transition& transition) { hear(transition); },
          Random(random_.next()))),
      truths_(kBackends, Truth::up),
      call_([this](PendingQueue::Ticket ticket) { hear_call(ticket); }) {
  for (size_t i = 0; i < kBackends; ++i) {
    change_truth(i);
    schedule(random_.jittered(kProbesEvery, 100), EventKind::probe_begins, i);
  }
  reload();
  for (size_t worker = 0; worker < kWorkers; ++worker) {
    pickers_.push_back(std::make_unique<Picker>(latest_, Random(random_.next())));
    schedule(around(kClientsEvery), EventKind::client_comes, worker);
  }
  schedule(kOperatorActsEvery, EventKind::operator_acts);
  schedule(kAnnounceEvery, EventKind::announce);
}

bool World::step() {
  const Event event = events_.top();
  events_.pop();
  now_ = event.at;
  happen(event);
  checker_.step(now_);
  check_first_in_line();
  return !checker_.violation();
}

void World::schedule(Duration in, EventKind kind, uint64_t subject) {
  events_.push({now_ + in, next_event_++, kind, subject});
}

void World::happen(const Event& event) {
  switch (event.kind) {
    case EventKind::client_comes:
      return admit_client(event.subject);
    case EventKind::connect_ends:
      return end_connect(event.subject);
    case EventKind::session_ends:
      return end_session(event.subject);
    case EventKind::probe_begins:
      return begin_probe(event.subject);
    case EventKind::probe_ends:
      return end_probe(event.subject);
    case EventKind::truth_changes:
      return change_truth(event.subject);
    case EventKind::reload:
      return reload();
    case EventKind::worker_adopts:
      pickers_[event.subject]->adopt(latest_);
      return cluster_->pending().call_next();
    case EventKind::operator_acts:
      return act_as_operator();
    case EventKind::announce:
      return announce();
    case EventKind::news_arrive:
      return take_news();
    case EventKind::queue_calls:
      return call(event.subject);
    case EventKind::client_gives_up:
      return give_up(event.subject);
  }
}

void World::hear(Transition transition) {
  if (options_.is_verbose) {
    std::fputs(fmt::format("{:>12} ms  {} {} {}->{}: {}\n", to_ms(transition.at.time_since_epoch()),
                           name(transition.kind), transition.backend, transition.from,
                           transition.to, transition.why)
                   .c_str(),
               stdout);
  }
  if (is_broken(Fault::loses_transition, 2)) return;
  if (transition.retry_at && is_broken(Fault::misstates_the_retry, 10)) {
    *transition.retry_at += seconds(7);
  }
  checker_.heard(transition);
  if (news_.empty()) schedule(around(kNewsTake), EventKind::news_arrive);
  news_.push_back(transition);
  if (is_broken(Fault::repeats_transition, 2)) checker_.heard(transition);
}

// --- the control loop --------------------------------------------------------------------------

void World::reload() {
  ClusterSettings settings = any_settings();
  configured_ = any_backends();
  checker_.applying(settings, now_);
  if (options_.fault == Fault::never_panics) settings.panic_threshold = 0;
  const Arrival arrival = latest_ ? Arrival::later : Arrival::cold_start;
  latest_ = cluster_->apply(settings, configured_, arrival, now_);
  checker_.applied(*latest_, configured_, now_);
  for (size_t worker = 0; worker < pickers_.size(); ++worker) {
    schedule(around(kAdoptionTakes), EventKind::worker_adopts, worker);
  }
  // Some come right after each other.
  schedule(around(chance(20) ? kReloadsEvery / 300 : kReloadsEvery), EventKind::reload);
}

ClusterSettings World::any_settings() {
  ClusterSettings settings;
  settings.balance.policy =
      chance(50) ? BalancePolicy::round_robin : BalancePolicy::least_connections;
  CircuitBreakerSettings& breaker = settings.circuit_breaker;
  breaker.is_enabled = chance(90);
  breaker.failure_threshold = static_cast<uint32_t>(1 + random_.below(5));
  breaker.recovery_timeout = milliseconds(100 + random_.below(4000));
  breaker.max_recovery_timeout = breaker.recovery_timeout * static_cast<int>(1 + random_.below(4));
  breaker.success_threshold = static_cast<uint32_t>(1 + random_.below(3));
  breaker.jitter = static_cast<double>(random_.below(3)) * 10;
  breaker.early_trial = chance(50);
  settings.has_probes = chance(90);
  settings.health_thresholds = {.healthy = static_cast<uint32_t>(1 + random_.below(3)),
                                .unhealthy = static_cast<uint32_t>(1 + random_.below(3))};
  settings.balance.overprovisioning = static_cast<uint32_t>(100 + 40 * random_.below(3));
  settings.panic_threshold = static_cast<double>(random_.below(3)) * 35;
  if (!is_plain()) add_limits(settings);
  return settings;
}

void World::add_limits(ClusterSettings& settings) {
  settings.balance.policy = static_cast<BalancePolicy>(random_.below(kBalancePolicyNames.size()));
  settings.balance.choices = static_cast<uint32_t>(1 + random_.below(3));
  settings.balance.prefix_v4 = chance(80) ? 32 : 24;
  if (chance(25)) settings.balance.max_load = static_cast<uint32_t>(110 + random_.below(50));
  if (chance(30)) settings.limits.of_cluster = static_cast<uint32_t>(5 + random_.below(60));
  if (chance(40)) settings.limits.of_backend = static_cast<uint32_t>(1 + random_.below(12));
  if (chance(70)) {
    settings.pending = {.clients_max = static_cast<uint32_t>(1 + random_.below(30)),
                        .timeout = milliseconds(100 + random_.below(3000))};
  }
  if (chance(40)) {
    settings.retry_budget = {.is_enabled = true,
                             .percent = static_cast<double>(random_.below(30)),
                             .min = static_cast<uint32_t>(random_.below(10))};
  }
}

std::vector<BackendSettings> World::any_backends() {
  std::vector<BackendSettings> backends;
  for (size_t i = 0; i < kBackends; ++i) {
    if (chance(25)) continue;
    // Sometimes the name stays and the address is another one.
    const auto port = static_cast<uint16_t>(chance(5) ? 81 : 80);
    backends.push_back({.name = fmt::format("backend-{}", i),
                        .address = Address::ipv4({10, 0, 0, static_cast<uint8_t>(i)}, port),
                        .weight = chance(5) ? 0 : static_cast<uint32_t>(1 + random_.below(3)),
                        .priority = chance(60) ? 0U : static_cast<uint32_t>(1 + random_.below(2)),
                        .admin_state = chance(5) ? AdminState::draining : AdminState::ready,
                        .health_check_port = std::nullopt});
  }
  return backends;
}

void World::change_truth(size_t number) {
  constexpr std::array kTruths{Truth::refusing, Truth::hanging, Truth::flapping};
  const bool is_up = chance(60);
  truths_[number] = is_up ? Truth::up : kTruths[random_.below(kTruths.size())];
  checker_.set_truth(fmt::format("backend-{}", number), is_up, now_);
  // Some die and return within moments, others stay away or up for long.
  const Duration lasts = chance(30) ? kTruthLasts / 20 : kTruthLasts * 2;
  schedule(around(lasts), EventKind::truth_changes, number);
}

Backend* World::any_member() {
  std::vector<Backend*> members;
  for (const PriorityLevel& level : latest_->levels) {
    for (const auto& backend : level.backends) members.push_back(backend.get());
  }
  return members.empty() ? nullptr : members[random_.below(members.size())];
}

void World::act_as_operator() {
  schedule(around(kOperatorActsEvery), EventKind::operator_acts);
  Backend* const backend = any_member();
  if (!backend) return;
  if (chance(30)) {
    const auto weight = static_cast<uint32_t>(random_.below(4));
    checker_.set_weight(*backend, weight);
    return cluster_->set_weight(*backend, weight, now_);
  }
  constexpr std::array kStates{AdminState::ready, AdminState::ready, AdminState::ready,
                               AdminState::draining, AdminState::maintenance};
  const AdminState state = kStates[random_.below(kStates.size())];
  checker_.set_admin_state(*backend, state);
  cluster_->set_admin_state(*backend, state, now_);
}

void World::announce() {
  cluster_->announce_half_open(now_);
  schedule(around(kAnnounceEvery), EventKind::announce);
}

// What the control loop finds in its mailbox.
void World::take_news() {
  for (const Transition& transition : std::exchange(news_, {})) {
    if (transition.kind != Transition::Kind::breaker) continue;
    checker_.noted(transition.backend);
    if (!is_broken(Fault::loses_news, 20)) cluster_->take_note(transition, now_);
  }
}

// --- probes ------------------------------------------------------------------------------------

void World::begin_probe(size_t number) {
  schedule(random_.jittered(kProbesEvery, 10), EventKind::probe_begins, number);
  if (!latest_->settings.has_probes) return;
  for (const PriorityLevel& level : latest_->levels) {
    for (const auto& backend : level.backends) {
      if (backend->name() != fmt::format("backend-{}", number)) continue;
      const auto permit = cluster_->admit_probe(*backend, now_);
      const ConnectOutcome outcome = experience(backend->name());
      const bool is_late = outcome == ConnectOutcome::timeout;
      probes_[next_probe_] = {
          checker_.probe_began(backend, permit.has_value()),
          {.began_at = now_,
           .passed = outcome == ConnectOutcome::connected,
           .result = outcome == ConnectOutcome::connected ? "passed" : name(outcome),
           .permit = permit,
           .is_inconclusive =
               outcome == ConnectOutcome::local_error || outcome == ConnectOutcome::abandoned}};
      schedule(is_late ? kProbeTimeout : around(kConnectTakes), EventKind::probe_ends,
               next_probe_++);
    }
  }
}

void World::end_probe(uint64_t id) {
  const Probe probe = probes_.at(id);
  probes_.erase(id);
  checker_.probing(probe.ticket, probe.report);
  // Of a closed breaker, whose state a probe does not touch.
  const bool is_closed = probe.ticket.backend->breaker().is_closed().value_or(false);
  if (is_closed && is_broken(Fault::swallows_probes, 5)) return;
  cluster_->record_probe(*probe.ticket.backend, probe.report, now_);
  if (is_broken(Fault::repeats_probes, 5)) {
    cluster_->record_probe(*probe.ticket.backend, probe.report, now_);
  }
}

}  // namespace sluice::sim
