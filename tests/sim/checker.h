// What must hold, whatever happens. The checker keeps a model of its own, made from the contract
// and from what the world says it does, and holds the core to it: before each action it works out
// what has to follow, hears what is told meanwhile, and compares afterwards.
//
// It knows nothing of how the core works, only the core's words for what came of it.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend_model.h"
#include "sluice/core/cluster.h"
#include "sluice/core/picker.h"

namespace sluice::sim {

// From the return of a backend to the closing of its breaker, with the world's longest times: the
// longest open period and its jitter, a trial that began while it hung, and then a few probes.
inline constexpr Duration kRecoveryBound = std::chrono::seconds(45);

// So rare that a million worlds will not see it, whenever one looks.
inline constexpr double kDeviationsMax = 8;

// Of sums of fractions.
inline constexpr double kRounding = 1e-6;

class Checker {
 public:
  // A connection or a probe, as it was begun.
  struct Ticket {
    std::shared_ptr<Backend> backend;
    uint64_t era = 0;
    bool is_trial = false;
    CircuitBreakerSettings settings;
    OutlierSettings outliers;
  };

  // --- told by the world, around each action -----------------------------------------------------

  void applying(const ClusterSettings& settings, TimePoint now);
  void applied(const ClusterSnapshot& snapshot, const std::vector<BackendSettings>& configured,
               TimePoint now);
  // The same contents in a later snapshot.
  void renewed(const ClusterSnapshot& snapshot);
  void adopted(size_t worker);
  void set_admin_state(const Backend& backend, AdminState state);
  void set_weight(const Backend& backend, uint32_t weight);
  // What was told of a backend's breaker has reached the control loop.
  void noted(const std::string& backend);
  void set_truth(const std::string& backend, bool is_up, TimePoint now);

  struct Asker {
    size_t worker;
    IpBytes client;
    const TriedBackends& tried;
  };
  void picking(const ClusterSnapshot& snapshot, const Asker& asker, TimePoint now);
  // What came of it.
  struct Pick {
    std::shared_ptr<Backend> backend;  // null when refused
    bool is_trial = false;
    std::optional<Picker::Refusal> refusal;
    uint32_t slow_starters = 0;  // passed over as such
  };
  Ticket picked(const ClusterSnapshot& snapshot, const Pick& pick);
  void settling(const Ticket& ticket, ConnectOutcome outcome, TimePoint now);
  void released(const Ticket& ticket);

  // Outlier detection is about to look at a connection that ended before the first byte of its
  // backend, at that byte, or at all backends; and has looked.
  void closing_early(const Ticket& ticket, const ClusterSnapshot& snapshot, TimePoint now);
  void heard_first_byte(const Ticket& ticket, const ClusterSnapshot& snapshot);
  void judging(const ClusterSnapshot& snapshot, TimePoint now);
  void judged();
  // What is switched off has just been looked for.
  void check_what_is_off();

  Ticket probe_began(const std::shared_ptr<Backend>& backend, bool has_trial);
  void probing(const Ticket& ticket, const ProbeReport& report, TimePoint now);

  // The state is saved now; the process has ended, and another begins, which may go by that state
  // or find that it is too old; it is about to restore what was kept of a backend, has done so, and
  // is through.
  void saving();
  enum class Kept : uint8_t { counts, is_too_old };
  void restarted(Kept kept);
  void restoring(const std::string& backend, TimePoint now);
  void restored(const std::string& backend, bool was_there);
  void restored_all();

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
  using Model = BackendModel;

  Model& model_of(const std::shared_ptr<Backend>& backend);
  void forget_finished();
  void expect(const Model& model, BreakerState to);
  void judge_connect(Model& model, const Ticket& ticket, ConnectOutcome outcome);
  void judge_trial(Model& model, const Ticket& ticket, ConnectOutcome outcome);
  void judge_health(Model& model, bool passed);
  void heard_health(Model& model, const Transition& transition);
  void heard_breaker(Model& model, const Transition& transition);
  void heard_panic(const Transition& transition);
  bool is_founded(const Model& model, std::string_view to, TimePoint at) const;
  void heard_open(Model& model, const Transition& transition);
  void check_open_period(const Model& model, TimePoint at);
  std::vector<double> shares_up_to(const ClusterSnapshot& snapshot) const;
  bool is_noted_available(const Model& model) const;
  void check_shares(const ClusterSnapshot& snapshot);
  void check_level(const ClusterSnapshot& snapshot, const Candidate& chosen);
  void check_spread(const std::vector<bool>& has_available, const Candidate& chosen);
  double share(size_t level) const;
  bool is_first_of(size_t drawn, const std::vector<bool>& has_available, size_t level) const;
  std::vector<bool> levels_with_rivals(const ClusterSnapshot& snapshot,
                                       const Candidate& chosen) const;
  void check_choice(const ClusterSnapshot& snapshot, const Candidate& chosen);
  void check_least(const ClusterSnapshot& snapshot, const Candidate& chosen,
                   const Candidate& other);
  void check_refusal(const ClusterSnapshot& snapshot, Picker::Refusal refusal);
  void check_budget(const ClusterSnapshot& snapshot, const Pick& pick);
  bool is_retry_allowed(const RetryBudgetSettings& settings) const;
  void check_order(const ClusterSnapshot& snapshot, const Candidate& chosen);
  void check_client(const ClusterSnapshot& snapshot, const Backend& chosen);
  void check_weights(const ClusterSnapshot& snapshot, const Candidate& chosen);
  bool is_table_current(const ClusterSnapshot& snapshot, size_t level) const;

  // checker_turns.cc
  void look_at_turns(const ClusterSnapshot& snapshot);
  void check_turn(const ClusterSnapshot& snapshot, const Candidate& chosen);

  // checker_slow_start.cc
  void begin_slow_start(Model& model, TimePoint now);
  void limit_slow_start(Model& model, TimePoint now) const;
  void look_at_age(const ClusterSnapshot& snapshot, Candidate& candidate) const;
  bool has_young() const;
  void check_slow_start(const ClusterSnapshot& snapshot, const Pick& pick);

  // checker_outliers.cc
  struct Proposal {
    Model* model;
    Detector detector;
    double success_rate = 0;
  };
  enum class Verdict : uint8_t { yes, no, unknown };
  const ClusterSettings& told(const ClusterSnapshot& snapshot) const;
  void watch_connect(Model& model, const Ticket& ticket, ConnectOutcome outcome, TimePoint now);
  void watch_probe(Model& model, bool passed, TimePoint now);
  bool may_be_tried_early(const Model& model) const;
  Verdict verdict_on(const Model& model) const;
  bool settle_proposals(const Model* taken_out);
  uint32_t ejected() const;
  void check_ejections();
  bool is_ejected_by_what_is_off(const Model& model) const;

  bool may_be_out_again(const Model& model, Detector ejected_by);
  void check_restored_period(const Model& model, TimePoint at);

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
  // But for its breaker and its limits.
  std::string_view unfitness(const Model& model, const ClusterSnapshot& snapshot,
                             uint32_t priority) const;
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
  size_t worker_ = 0;
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
  std::map<BalancePolicy, Excess> excess_by_weight_;  // on the heaviest
  // The weights that a table of maglev was made by.
  std::map<const MaglevTable*, std::map<const Backend*, uint32_t>> table_weights_;
  // How the turns of round_robin have come, by worker and priority, since those who take part are
  // the same.
  struct Turns {
    std::vector<const Model*> who;
    std::vector<uint32_t> counts;
    std::vector<bool> was_seen;
    uint32_t unseen = 0;
    uint32_t picks = 0;  // while somebody is unseen, then from that on
  };
  std::map<std::pair<size_t, uint32_t>, Turns> turns_;

  Duration slow_start_{};
  // Who was young and taken, more than they might at the most, and less than at the least, by the
  // quarter of the share that they had.
  struct Youth {
    Excess at_most;
    Excess at_least;
  };
  std::array<Youth, 4> youth_;

  std::map<const ClusterSnapshot*, ClusterSettings> told_;
  // While outlier detection looks: by which snapshot, and whom it has to propose, the worst first.
  const ClusterSnapshot* latest_ = nullptr;  // applied
  const ClusterSnapshot* judged_by_ = nullptr;
  std::deque<Proposal> proposals_;
  OutlierSettings acting_outliers_;
  std::array<uint64_t, kDetectors> ejections_{};
  std::array<uint64_t, kDetectors> refusals_{};
  bool has_acted_on_stranger_ = false;  // in this step; what it came to is not told

  // What a new process may know of a backend.
  struct Memory {
    BackendSettings configured;
    AdminState admin_state;
    uint32_t weight;
    bool is_unhealthy;
    bool is_out;  // by its breaker
    Detector ejected_by;
    TimePoint retry_at;
    uint32_t failed_trials;
  };
  std::map<std::string, Memory> saved_;
  std::map<std::string, Memory> kept_;     // from the last process, and not yet restored
  const Memory* restored_from_ = nullptr;  // while it is restored

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
