// A named set of backends and the decisions about them. `Cluster` is what lives as long as the
// cluster's name does and is shared by all threads; `ClusterSnapshot` is one immutable state of it.
//
//   control loop:  apply(settings, backends) -> ClusterSnapshot -> swapped into every worker
//   worker:        Picker(snapshot).pick() -> Lease -> settle(outcome) -> relay -> ~Lease
//   control loop:  admit_probe(backend), record_probe(backend, report), judge_outliers()
//
// Every change of a backend's health or breaker goes to the TransitionSink exactly once, and those
// of one backend's breaker in order, whichever threads made them. A backend that a reload has
// removed is told of no more. The sink must not call back into the cluster.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <unordered_map>

#include "sluice/base/random.h"
#include "sluice/base/time.h"
#include "sluice/core/backend.h"
#include "sluice/core/census.h"
#include "sluice/core/cluster_snapshot.h"
#include "sluice/core/decision.h"
#include "sluice/core/ejection_books.h"
#include "sluice/core/per_worker.h"
#include "sluice/core/saved_state.h"
#include "sluice/core/tally.h"
#include "sluice/core/transition.h"

namespace sluice {

// How a probe went, as far as the core cares.
struct ProbeReport {
  TimePoint began_at;
  bool passed = false;
  std::string_view result;       // the contract's word for it; static storage
  std::optional<Permit> permit;  // the breaker's trial, when the probe took it
  // The probe ended without a verdict on the backend (a local error): changes nothing, and a permit
  // is given back.
  bool is_inconclusive = false;
};

class Cluster : public std::enable_shared_from_this<Cluster> {
 public:
  // Owned by a shared_ptr: snapshots keep it alive. That many `workers` count what they do with it.
  Cluster(std::string name, TransitionSink sink, Random random, size_t workers = 1);

  const std::string& name() const { return name_; }

  // --- control loop only -------------------------------------------------------------------------

  // Makes a snapshot of these settings. A backend whose name and address are in the last snapshot
  // is the same object again, with its state; the others are new, and arrive as `arrival` says. The
  // administrative state and the weight of one that stays change only where the configuration did,
  // so that a reload does not undo what an operator has set at run time. What is switched off is
  // forgotten: health turns unknown without probes, breakers close without circuit_breaker.
  std::shared_ptr<const ClusterSnapshot> apply(const ClusterSettings& settings,
                                               std::span<const BackendSettings> backends,
                                               Arrival arrival, TimePoint now);

  // What apply() made last; nothing before the first. Each call gives a pointer with a count of its
  // own: one for each worker keeps them off each other's cache lines.
  std::shared_ptr<const ClusterSnapshot> snapshot();

  // The backend of that name in the last snapshot, if there is one.
  std::shared_ptr<Backend> find(std::string_view backend) const;

  // The trial permit for a probe to the traffic address, when the breaker is half_open and nobody
  // has the trial. Hand it back in the ProbeReport.
  std::optional<Permit> admit_probe(Backend& backend, TimePoint now);

  // Takes in a probe's result: health by its thresholds, the trial's verdict, an early trial.
  void record_probe(Backend& backend, const ProbeReport& report, TimePoint now);

  void set_admin_state(Backend& backend, AdminState state, TimePoint now);
  void set_weight(Backend& backend, uint32_t weight, TimePoint now);

  // An operator opens a breaker that is closed, as a row of failures would, or closes one that is
  // not, without a trial; closed, its row of failures begins anew. False when there is nothing to
  // do, breakers are off, or another thread is just changing it.
  bool trip(Backend& backend, TimePoint now);
  bool reset(Backend& backend, TimePoint now);

  // Takes over what was kept of a backend before a restart, after the first apply(). The
  // configuration wins: administrative state and weight are taken over only where it says what it
  // said then, health, breaker and ejections only where they (and the detector) are on, times at
  // most the configured maximum, ejections only within max_ejected and while another backend is
  // available. A backend that is not there, or is at another address, is ignored. Says whether it
  // was there.
  bool restore(const SavedBackend& saved, TimePoint now);

  // A transition of this cluster has reached the control loop: it is counted, and what a worker did
  // to a breaker counts from now on in its level's share of the clients.
  void take_note(const Transition& transition, TimePoint now);

  // Tells of every breaker whose reopening time has come. Returns the next such time, if any. Looks
  // at every backend.
  std::optional<TimePoint> announce_half_open(TimePoint now);

  // Compares the backends by how their connects went and ejects those that stand out, as far as
  // max_ejected allows. For every second or so; does nothing while no statistical detector is on.
  void judge_outliers(TimePoint now);

  // For whoever tells of refused ejections: the first of this detector since the last call.
  std::optional<RefusedEjection> take_refused_ejection(Detector detector) {
    return ejections_.take_refusal(detector);
  }

  // --- any thread --------------------------------------------------------------------------------

  // Whether `backend` takes a client's connection now: administrative state, health (or panic),
  // breaker (a look, so that one that is open is not taken for full), slow start, limits, breaker,
  // asked in that order, and what was reserved is given back on a refusal: for that instant another
  // thread may see a limit reached that is not. On yes the connection counts include the new one,
  // and the permit must be settled and the connection removed: Lease does both. A backend in its
  // slow start says yes only to those whose `draw`, from [0, 1), is below its share: to all for 0.
  using Admission = tl::expected<Permit, Obstacle>;
  Admission admit(const ClusterSnapshot& snapshot, const PriorityLevel& level, Backend& backend,
                  TimePoint now, double draw = 0);

  RetryBudget& retry_budget() { return retry_budget_; }

  // Clients that wait for a free place.
  PendingQueue& pending() { return load_->pending; }
  uint32_t active_connections() const { return load_->connections.load(std::memory_order_relaxed); }
  // Backends that take ordinary connections but for their limits, as the control loop knows it:
  // news of a breaker may be a moment late.
  uint32_t available_backends() const {
    return available_backends_.load(std::memory_order_relaxed);
  }

  // Written by that worker only.
  ClusterTally& tally(size_t worker) { return tallies_.of(worker); }
  ClusterTotals totals() const;

  // Priorities that are in panic now, and how often one has come into it in all.
  uint32_t panics_now() const { return panics_now_.load(std::memory_order_relaxed); }
  uint64_t panics() const { return panics_.load(std::memory_order_relaxed); }

  // Takes in how a client's connect under `permit` went.
  void record_connect(const ClusterSnapshot& snapshot, Backend& backend, Permit permit,
                      ConnectOutcome outcome, TimePoint now, Random& random);

  // The same for a connect that ended without a verdict at no particular time.
  void abandon_connect(Backend& backend, Permit permit);

  // For early_close, once for each connection made under `permit` of a closed breaker: its backend
  // ended it before the first byte, while its client had not; or it has sent something.
  void record_early_close(const ClusterSnapshot& snapshot, Backend& backend, Permit permit,
                          TimePoint now, Random& random);
  void record_first_byte(const ClusterSnapshot& snapshot, Backend& backend, Permit permit);

  const EjectionBooks& ejections() const { return ejections_; }

 private:
  std::shared_ptr<const ClusterSnapshot> make_contents(const ClusterSettings& settings,
                                                       std::map<uint32_t, PriorityLevel>&& levels);
  std::shared_ptr<const MaglevTable> maglev_table(const PriorityLevel& level) const;
  void renew_tables();
  void update_backend(Backend& backend, const BackendSettings& settings);
  void forget_what_is_off(Backend& backend, TimePoint now);
  void set_slow_start(const Timeout& slow_start, TimePoint now);
  void begin_slow_start(Backend& backend, TimePoint now);
  void publish_census(TimePoint now);

  // src/core/cluster_connects.cc
  bool is_usable(const ClusterSnapshot& snapshot, const PriorityLevel& level,
                 const Backend& backend) const;

  // src/core/cluster_probes.cc
  void record_trial(Backend& backend, const ProbeReport& report, TimePoint now);
  void record_health(Backend& backend, const ProbeReport& report, TimePoint now);

  // src/core/cluster_outliers.cc
  struct Ejectee;
  void set_up_outlier_detection(Backend& backend);
  void end_ejection_that_is_off(Backend& backend, TimePoint now);
  void watch_connect(const ClusterSnapshot& snapshot, Backend& backend, Permit permit,
                     ConnectOutcome outcome, TimePoint now);
  void watch_probe(Backend& backend, const ProbeReport& report, TimePoint now);
  bool eject(const ClusterSnapshot& snapshot, const Ejectee& ejectee, TimePoint now,
             Random& random);
  void restore_ejection(Backend& backend, Detector detector, const SavedBreaker& saved,
                        TimePoint now);
  bool keeps_another_available(const ClusterSnapshot& snapshot, const Backend& wanted_out,
                               TimePoint now) const;
  void close_books_of(Backend& backend, std::optional<uint32_t> begun_generation);

  // src/core/cluster_transitions.cc
  void change_health(Backend& backend, const HealthChange& change, std::string why, TimePoint now);
  void tell(Backend& backend, const BreakerChange& change, std::string why, TimePoint now);
  void tell(const PanicChange& change, TimePoint now);
  void tell_of(const Backend& backend, Transition transition);

  const std::string name_;
  const TransitionSink sink_;
  const std::shared_ptr<ClusterLoad> load_ = std::make_shared<ClusterLoad>();
  const size_t workers_;
  PerWorker<ClusterTally> tallies_;
  // Control loop only.
  Random random_;
  const Duration slow_start_stretch_;  // in this process, of each second
  std::shared_ptr<const ClusterSnapshot> contents_;
  std::unordered_map<std::string_view, std::shared_ptr<Backend>> by_name_;  // of the contents
  Census census_;
  std::atomic<Duration::rep> slow_start_{0};  // written by the control loop, read by everybody
  // Written by the control loop, read by everybody: for those who wait for their first probe.
  std::atomic<uint32_t> healthy_backends_{0};
  std::atomic<uint32_t> available_backends_{0};  // the same
  std::atomic<uint32_t> panics_now_{0};          // the same
  std::atomic<uint64_t> panics_{0};              // the same
  EjectionBooks ejections_;                      // any thread
  RetryBudget retry_budget_;                     // any thread
};

}  // namespace sluice
