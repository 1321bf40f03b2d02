// What must hold, whatever happens. The checker keeps a model of its own, made from the contract
// and from what the world says it does, and holds the core to it: before each action it works out
// what has to follow, hears what is told meanwhile, and compares afterwards.
//
// It knows nothing of how the core works, only the core's words for what came of it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/core/cluster.h"
#include "sluice/core/picker.h"

namespace sluice::sim {

// From the return of a backend to the closing of its breaker, with the world's longest times: the
// longest open period and its jitter, a trial that began while it hung, and then a few probes.
inline constexpr Duration kRecoveryBound = std::chrono::seconds(45);

class Checker {
 public:
  // A connection or a probe, as it was begun.
  struct Ticket {
    std::shared_ptr<Backend> backend;
    uint64_t era = 0;
    bool is_trial = false;
    CircuitBreakerSettings settings;
  };

  // --- told by the world, around each action -----------------------------------------------------

  void applying(const ClusterSettings& settings, TimePoint now);
  void applied(const ClusterSnapshot& snapshot, const std::vector<BackendSettings>& configured,
               TimePoint now);
  void set_admin_state(const Backend& backend, AdminState state);
  void set_weight(const Backend& backend, uint32_t weight);
  // What was told of a backend's breaker has reached the control loop.
  void noted(const std::string& backend);
  void set_truth(const std::string& backend, bool is_up, TimePoint now);

  void picking(const ClusterSnapshot& snapshot, const TriedBackends& tried, const IpBytes& client,
               TimePoint now);
  // What came of it.
  struct Pick {
    std::shared_ptr<Backend> backend;  // null when refused
    bool is_trial = false;
    std::optional<Picker::Refusal> refusal;
  };
  Ticket picked(const ClusterSnapshot& snapshot, const Pick& pick);
  void settling(const Ticket& ticket, ConnectOutcome outcome);
  void released(const Ticket& ticket);

  Ticket probe_began(const std::shared_ptr<Backend>& backend, bool has_trial);
  void probing(const Ticket& ticket, const ProbeReport& report);

  // The queue: who has come into it or was turned away, was called, tried in vain, and has left.
  void entered(const std::optional<PendingQueue::Entry>& entry, const PendingSettings& settings);
  void called(PendingQueue::Ticket ticket);
  void rested(PendingQueue::Ticket ticket);
  void left(PendingQueue::Ticket ticket);

  // After every action.
  void step(TimePoint now);
  // And then, with the snapshot by which the first in line would try and whom it has tried; null
  // when nobody waits.
  void check_first_in_line(const ClusterSnapshot* snapshot, const TriedBackends& tried,
                           TimePoint now);

  void fail(const std::string& invariant, const std::string& details);

  void heard(const Transition& transition);

  const std::optional<std::string>& violation() const { return violation_; }
  uint64_t transitions() const { return transitions_; }
  uint64_t trials() const { return trials_; }

 private:
  struct Model {
    std::shared_ptr<Backend> backend;
    BackendSettings configured;
    bool is_member = false;
    AdminState admin_state = AdminState::ready;
    uint32_t weight = 1;
    uint32_t connections = 0;
    uint32_t probes = 0;

    BreakerState breaker = BreakerState::closed;
    bool is_noted_closed = true;  // as the control loop knows it
    uint64_t era = 0;             // changes with every transition
    uint32_t failures_in_row = 0;
    uint32_t trials_out = 0;
    uint32_t successes_in_row = 0;
    uint32_t failed_trials = 0;
    TimePoint opened_at;
    TimePoint retry_at;
    uint32_t passed_since_opening = 0;

    Health health = Health::unknown;
    uint32_t passed_in_row = 0;
    uint32_t failed_in_row = 0;

    std::optional<TimePoint> may_recover_since;  // up, probed and with a breaker
  };
  struct Candidate {
    const Model* model;
    size_t level;
    bool was_tried;
    std::string_view obstacle;  // why nobody may be sent there; empty when available
  };

  Model& model_of(const std::shared_ptr<Backend>& backend);
  void forget_finished();
  void expect(const Model& model, BreakerState to);
  void judge_trial(Model& model, const Ticket& ticket, ConnectOutcome outcome);
  void judge_health(Model& model, bool passed);
  void heard_health(Model& model, const Transition& transition);
  void heard_breaker(Model& model, const Transition& transition);
  void heard_panic(const Transition& transition);
  bool is_founded(const Model& model, std::string_view to, TimePoint at) const;
  void check_open_period(const Model& model, TimePoint at);
  std::vector<double> shares_up_to(const ClusterSnapshot& snapshot) const;
  bool is_noted_available(const Model& model) const;
  void check_shares(const ClusterSnapshot& snapshot);
  void check_level(const ClusterSnapshot& snapshot, const Candidate& chosen);
  void check_spread(const std::vector<bool>& has_available, const Candidate& chosen);
  double share(size_t level) const;
  bool is_first_of(size_t drawn, const std::vector<bool>& has_available, size_t level) const;
  void check_choice(const ClusterSnapshot& snapshot, const Candidate& chosen);
  void check_refusal(const ClusterSnapshot& snapshot, Picker::Refusal refusal);
  void check_budget(const ClusterSnapshot& snapshot, const Pick& pick);
  bool is_retry_allowed(const RetryBudgetSettings& settings) const;
  void check_order(const ClusterSnapshot& snapshot, const Candidate& chosen);
  void check_client(const ClusterSnapshot& snapshot, const Backend& chosen);
  void check_weights(const ClusterSnapshot& snapshot, const Candidate& chosen);
  void look_at_candidates(const ClusterSnapshot& snapshot, const TriedBackends& tried,
                          TimePoint now);
  bool has_strangers() const;
  bool is_known_full(const ClusterSnapshot& snapshot) const;
  // Comes again, to a policy that looks at it.
  bool is_regular_of(const BalanceSettings& settings) const;
  void check_backend(const Model& model, TimePoint now);
  void check_recovery(const Model& model, TimePoint now);
  void check_panic();
  bool is_panic(uint32_t priority) const;
  uint32_t healthy_backends() const;
  std::string_view obstacle_to(const Model& model, const ClusterSnapshot& snapshot,
                               uint32_t priority, TimePoint now) const;

  ClusterSettings settings_;  // the latest
  std::map<const Backend*, Model> models_;
  std::map<std::string, bool> is_up_;
  std::map<std::string, bool> told_panic_;
  std::vector<Candidate> candidates_;  // of the pick in progress
  std::vector<double> shares_up_to_;   // in that pick, of the whole, by level
  // Over all picks drawn by shares: how many more than expected went to the first level with a
  // share, and the variance of that number.
  double excess_ = 0;
  double variance_ = 0;

  IpBytes client_;  // of the pick in progress
  TimePoint now_;
  bool is_retry_ = false;
  uint32_t connections_ = 0;  // of the whole cluster
  const Cluster* cluster_ = nullptr;
  // Attempts and retries by the bucket of the budget's window.
  struct Attempts {
    uint64_t bucket = 0;
    uint32_t first = 0;
    uint32_t retries = 0;
  };
  std::deque<Attempts> attempts_;
  // Where a client has gone, by everything that this may depend on.
  std::map<std::string, std::string> homes_;
  // The same for who is preferred by weight, by policy: how many more than expected went to the
  // heaviest, and the variance of that number.
  struct Excess {
    double count = 0;
    double variance = 0;
  };
  std::map<BalancePolicy, Excess> excess_by_weight_;
  std::map<PendingQueue::Ticket, bool> pending_;  // whether it is called
  bool was_freed_ = false;                        // a place, in this step
  std::optional<TimePoint> stuck_since_;

  // What the action in progress has to bring about.
  struct Expected {
    const Backend* backend = nullptr;
    std::string_view to;
  };
  std::optional<Expected> expected_breaker_;
  std::optional<Expected> expected_health_;
  CircuitBreakerSettings acting_settings_;

  std::optional<std::string> violation_;
  uint64_t transitions_ = 0;
  uint64_t trials_ = 0;
};

}  // namespace sluice::sim
