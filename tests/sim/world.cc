#include "world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace sluice::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kProbesEvery = seconds(1);
constexpr Duration kProbeTimeout = milliseconds(500);
constexpr Duration kTruthLasts = seconds(40);
constexpr Duration kReloadsEvery = seconds(60);
constexpr Duration kAdoptionTakes = milliseconds(50);
constexpr Duration kOperatorActsEvery = seconds(15);
constexpr Duration kNewsTake = milliseconds(10);
constexpr Duration kAnnounceEvery = seconds(1);  // at the latest
constexpr Duration kJudgeEvery = seconds(1);

}  // namespace

World::World(Options options)
    : options_(options),
      random_(options.seed),
      truths_(options.backends, Truth::up),
      close_early_(options.backends, false),
      call_([this](PendingQueue::Ticket ticket) { hear_call(ticket); }) {
  for (size_t i = 0; i < options.backends; ++i) {
    change_truth(i);
    schedule(random_.jittered(kProbesEvery, 100), EventKind::probe_begins, i);
  }
  configure();
  start();
  for (size_t worker = 0; worker < options.workers; ++worker) {
    schedule(around(kClientsEvery), EventKind::client_comes, worker);
  }
  if (has(Feature::reloads)) schedule(around(kReloadsEvery), EventKind::reload);
  if (has(Feature::operators)) schedule(kOperatorActsEvery, EventKind::operator_acts);
  schedule(kAnnounceEvery, EventKind::announce);
  if (is_plain()) return;
  schedule(kJudgeEvery, EventKind::outliers_judged);
  schedule(kSaveEvery, EventKind::state_saved);
  if (has(Feature::restarts)) schedule(around(kRestartsEvery), EventKind::restart);
}

bool World::step() {
  const Event event = events_.top();
  events_.pop();
  // A restart takes some time, in which nothing else happens.
  now_ = std::max(now_, event.at);
  const bool is_forgotten = event.process != process_ && ends_with_its_process(event.kind);
  if (!is_forgotten) happen(event);
  checker_.step(now_);
  check_first_in_line();
  return !checker_.violation();
}

void World::schedule(Duration in, EventKind kind, uint64_t subject) {
  events_.push({now_ + in, next_event_++, kind, subject, process_});
}

bool World::ends_with_its_process(EventKind kind) {
  constexpr std::array kKinds{EventKind::connect_ends,   EventKind::session_ends,
                              EventKind::probe_ends,     EventKind::worker_adopts,
                              EventKind::news_arrive,    EventKind::queue_calls,
                              EventKind::client_gives_up};
  return std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end();
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
      return adopt(event.subject);
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
    case EventKind::outliers_judged:
      return judge_outliers();
    case EventKind::state_saved:
      return save_state();
    case EventKind::restart:
      return restart();
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

void World::configure() {
  settings_ = any_settings();
  configured_ = any_backends();
}

void World::apply(Arrival arrival) {
  checker_.applying(settings_, now_);
  ClusterSettings settings = settings_;
  if (options_.fault == Fault::never_panics) settings.panic_threshold = 0;
  if (options_.fault == Fault::ignores_the_cap) settings.outlier_detection.max_ejected = 100;
  latest_ = cluster_->apply(settings, configured_, arrival, now_);
  checker_.applied(*latest_, configured_, now_);
  restore_state();
  latest_ = cluster_->snapshot();
  checker_.renewed(*latest_);
}

void World::reload() {
  configure();
  apply(Arrival::later);
  for (size_t worker = 0; worker < pickers_.size(); ++worker) {
    schedule(around(kAdoptionTakes), EventKind::worker_adopts, worker);
  }
  // Some come right after each other.
  schedule(around(chance(20) ? kReloadsEvery / 300 : kReloadsEvery), EventKind::reload);
}

void World::adopt(size_t worker) {
  checker_.adopted(worker);
  pickers_[worker]->adopt(latest_);
  cluster_->pending().call_next();
}

void World::change_truth(size_t number) {
  constexpr std::array kTruths{Truth::refusing, Truth::hanging, Truth::flapping};
  const bool is_up = chance(60);
  truths_[number] = is_up ? Truth::up : kTruths[random_.below(kTruths.size())];
  close_early_[number] = is_up && !is_plain() && chance(20);
  // Who closes early may be ejected again and again.
  checker_.set_truth(fmt::format("backend-{}", number), is_up && !close_early_[number], now_);
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
  checker_.check_what_is_off();
  schedule(around(kAnnounceEvery), EventKind::announce);
}

void World::judge_outliers() {
  schedule(kJudgeEvery, EventKind::outliers_judged);
  if (is_broken(Fault::forgives_flaps, 20)) {
    for (const PriorityLevel& level : latest_->levels) {
      for (const auto& backend : level.backends) {
        if (OutlierWatch* watch = backend->outlier_watch()) watch->penalty.forget();
      }
    }
  }
  checker_.judging(*latest_, now_);
  if (options_.fault != Fault::ejects_nobody) cluster_->judge_outliers(now_);
  checker_.judged();
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
  checker_.probing(probe.ticket, probe.report, now_);
  // Of a closed breaker, whose state a probe does not touch.
  const bool is_closed = probe.ticket.backend->breaker().is_closed().value_or(false);
  if (is_closed && is_broken(Fault::swallows_probes, 5)) return;
  cluster_->record_probe(*probe.ticket.backend, probe.report, now_);
  if (is_broken(Fault::repeats_probes, 5)) {
    cluster_->record_probe(*probe.ticket.backend, probe.report, now_);
  }
}

}  // namespace sluice::sim
