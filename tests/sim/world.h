// A seeded world around one cluster: backends that die, hang, flap and return, clients on several
// workers whose picks interleave, probes on their schedule, reloads that reach the workers one
// after another, operators, local errors, restarts of the process. Time is made up and everything
// happens in one thread, so a seed tells the whole story.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "checker.h"
#include "sluice/core/cluster.h"
#include "sluice/core/picker.h"

namespace sluice::sim {

// A rule that the world breaks on purpose, to show that the checker sees it.
enum class Fault : uint8_t {
  none,
  ignores_breaker,
  ignores_health,
  ignores_admin_state,
  second_trial,
  loses_trial,
  loses_transition,
  repeats_transition,
  loses_connection,
  trips_too_early,
  blames_nobody,
  blames_local_errors,
  looks_ahead_in_time,
  forgets_tried,
  turns_clients_away,
  prefers_the_last_priority,
  ignores_shares,
  loses_news,
  piles_up_connections,
  swallows_probes,
  repeats_probes,
  misstates_the_retry,
  never_panics,
  // From here on in worlds with limits, retry budgets, slow starts and all policies.
  exceeds_limits,
  mistakes_limits,
  loses_calls,
  calls_the_last,
  ignores_budget,
  skips_the_first,
  moves_clients,
  ignores_weights,
  skips_turns_of_the_heavy,
  draws_again_for_the_heavy,
  hurries_the_young,
  ignores_the_cap,
  ejects_nobody,
  forgives_flaps,
  hears_no_first_byte,
  repeats_early_closes,
  forgets_what_was_saved,
  restores_what_is_too_old,
  overrules_the_configuration,
};

// What a world can do without, to find out what a violation has to do with.
enum class Feature : uint8_t {
  limits,
  retry_budget,
  slow_start,
  outlier_detection,
  probes,
  priorities,
  policies,
  operators,
  reloads,
  restarts,
};
inline constexpr std::array<std::string_view, 10> kFeatureNames = {
    "limits",     "retry_budget", "slow_start", "outlier_detection", "probes",
    "priorities", "policies",     "operators",  "reloads",           "restarts"};

inline constexpr Duration kClientsEvery = std::chrono::milliseconds(20);
inline constexpr Duration kConnectTakes = std::chrono::milliseconds(5);

class World {
 public:
  static constexpr size_t kBackendsMax = 10;
  struct Options {
    uint64_t seed = 1;
    Fault fault = Fault::none;
    bool is_verbose = false;
    size_t backends = kBackendsMax;  // there may ever be
    size_t workers = 3;
    std::array<bool, kFeatureNames.size()> is_without = {};
  };

  explicit World(Options options);

  // Lets the next thing happen; false when an invariant is violated.
  bool step();

  const Checker& checker() const { return checker_; }
  TimePoint now() const { return now_; }
  uint64_t sessions() const { return next_session_; }

 private:
  enum class EventKind : uint8_t {
    client_comes,
    connect_ends,
    session_ends,
    probe_begins,
    probe_ends,
    truth_changes,
    reload,
    worker_adopts,
    operator_acts,
    announce,
    news_arrive,
    queue_calls,
    client_gives_up,
    outliers_judged,
    state_saved,
    restart,
  };
  struct Event {
    TimePoint at;
    uint64_t sequence;
    EventKind kind;
    uint64_t subject;
    uint64_t process;
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : sequence > other.sequence;
    }
  };

  enum class Truth : uint8_t { up, refusing, hanging, flapping };
  struct Session {
    size_t worker;
    IpBytes client;
    TriedBackends tried;
    std::optional<PendingQueue::Ticket> pending;      // while it waits for a place
    std::shared_ptr<const ClusterSnapshot> snapshot;  // of the attempt under way
    bool is_closed_early = false;                     // by the backend, before its first byte
    Lease lease;
    Checker::Ticket ticket;
    ConnectOutcome outcome = ConnectOutcome::connected;  // of the attempt under way
    uint32_t attempts = 0;
    // Keeps the addresses in `tried` from being used again.
    std::shared_ptr<const ClusterSnapshot> first_snapshot;
  };
  struct Probe {
    Checker::Ticket ticket;
    ProbeReport report;
  };

  bool chance(double percent) { return random_.fraction() * 100 < percent; }
  Duration around(Duration span) { return random_.jittered(span, 90); }
  bool is_broken(Fault fault, double percent) { return options_.fault == fault && chance(percent); }

  void schedule(Duration in, EventKind kind, uint64_t subject = 0);
  void happen(const Event& event);
  void hear(Transition transition);

  static bool ends_with_its_process(EventKind kind);

  void configure();
  void apply(Arrival arrival);
  void reload();
  void adopt(size_t worker);
  void judge_outliers();
  void change_truth(size_t number);
  void act_as_operator();
  void announce();
  void take_news();

  void save_state();
  void save_now();
  void restart();
  void stop();
  void start();
  void restore_state();

  void begin_probe(size_t number);
  void end_probe(uint64_t id);

  void admit_client(size_t worker);
  // The first byte of the addresses that do not come again.
  static constexpr uint8_t kStrangers = 11;
  IpBytes any_client();
  IpBytes any_stranger();
  void attempt(uint64_t id);
  bool is_over(uint64_t id, Picker& picker);
  void begin_connect(uint64_t id, Lease lease, Checker::Ticket ticket);
  bool enter_queue(uint64_t id);
  void leave_queue(Session& session);
  void call(PendingQueue::Ticket ticket);
  void hear_call(PendingQueue::Ticket ticket);
  void give_up(uint64_t id);
  void begin_relay(uint64_t id);
  void end_early(const Session& session);

  using Picked = tl::expected<Lease, Picker::Refusal>;
  Picked pick(const Session& session, Picker& picker);
  Picked pick_again(Picked picked, const PickRequest& request, Picker& picker);
  std::optional<Lease> pick_against_the_rules(const ClusterSnapshot& snapshot);
  std::optional<Lease> pick_a_worse_one(const std::shared_ptr<const ClusterSnapshot>& snapshot);
  std::optional<Lease> pick_of_the_first_level(
      const std::shared_ptr<const ClusterSnapshot>& snapshot);
  void end_connect(uint64_t id);
  void report_outcome(Session& session);
  void end_session(uint64_t id);

  bool has(Feature feature) const { return !options_.is_without[static_cast<size_t>(feature)]; }
  bool is_plain() const {
    return options_.fault != Fault::none && options_.fault <= Fault::never_panics;
  }
  ClusterSettings any_settings();
  void add_limits(ClusterSettings& settings);
  void make_way_for_the_fault(ClusterSettings& settings);
  void remove_what_is_off(ClusterSettings& settings) const;
  OutlierSettings any_outlier_detection();
  void check_first_in_line();
  std::vector<BackendSettings> any_backends();
  ConnectOutcome experience(const std::string& backend);
  Backend* any_member();

  static constexpr Duration kSaveEvery = std::chrono::seconds(1);
  static constexpr Duration kRestartsEvery = std::chrono::seconds(25);

  const Options options_;
  Random random_;
  TimePoint now_{std::chrono::hours(1000)};
  uint64_t next_event_ = 0;
  uint64_t process_ = 0;  // changes with every restart
  bool is_stopping_ = false;
  uint32_t slow_starters_ = 0;  // passed over in the pick in progress
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;

  Checker checker_;
  std::shared_ptr<Cluster> cluster_;
  std::shared_ptr<const ClusterSnapshot> latest_;
  ClusterSettings settings_;
  std::vector<BackendSettings> configured_;
  std::vector<std::unique_ptr<Picker>> pickers_;  // one for each worker
  std::vector<Truth> truths_;                     // by backend number
  std::vector<bool> close_early_;                 // the same, while it is up
  uint64_t next_session_ = 0;
  std::map<uint64_t, Session> sessions_;
  PendingQueue::Call call_;
  std::map<PendingQueue::Ticket, uint64_t> pending_;  // session by ticket
  uint64_t next_probe_ = 0;
  std::map<uint64_t, Probe> probes_;
  std::vector<Transition> news_;  // on their way to the control loop
  std::vector<Lease> lost_;       // trials that a broken world never settles
  std::vector<SavedBackend> saved_;
  TimePoint saved_at_;
  std::vector<SavedBackend> unclaimed_;  // by the last process, until its backend is there
};

}  // namespace sluice::sim
