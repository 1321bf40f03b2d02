// A backend's circuit breaker, shared by all workers without a lock.
//
//            trip                       reopening time has come (or early trial)
//   closed ---------> open -------------------------------------> half_open
//     ^                ^                                            |    |
//     |                +---------- trial failed (open longer) ------+    |
//     +--------------------------- success_threshold trials succeeded --+
//
// *Closed* lets everybody through, *open* nobody, *half_open* exactly one connection in the whole
// process at a time: the trial. Whoever is let through holds a Permit and hands it back once, as
// succeeded, failed or abandoned. A permit of an older generation changes nothing, so a slow
// connect from before a trip cannot touch what happened since.
//
// What changes together (open or closed, is a trial out, how many trials succeeded in a row, the
// generation) is one atomic word. Whoever makes a state change first marks the word as `changing`
// by one compare-and-swap, then writes the times, tells the world and publishes the new word: so
// there is one writer at a time, the changes of one breaker are told once each and in order, and
// nobody ever waits, because everybody else is refused for that moment. `half_open` needs no call
// to begin: it is `open` whose time has come, and the first to look tells of it.
//
// Any thread may call anything. Time and randomness are arguments.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sluice/base/function_ref.h"
#include "sluice/base/random.h"
#include "sluice/base/time.h"

namespace sluice {

enum class BreakerState : uint8_t { closed, open, half_open };

constexpr std::string_view name(BreakerState state) {
  switch (state) {
    case BreakerState::closed:
      return "closed";
    case BreakerState::open:
      return "open";
    case BreakerState::half_open:
      return "half_open";
  }
  return "";
}

struct CircuitBreakerSettings {
  bool is_enabled = true;
  uint32_t failure_threshold = 5;  // consecutive connect failures that open it
  Duration recovery_timeout = std::chrono::seconds(30);
  Duration max_recovery_timeout = std::chrono::minutes(5);  // where the doubling ends
  uint32_t success_threshold = 1;                           // trials that must succeed in a row
  double jitter = 10;       // percent of the open period, either way, after the doubling
  bool early_trial = true;  // probes may bring the trial forward

  friend bool operator==(const CircuitBreakerSettings&, const CircuitBreakerSettings&) = default;
};

// The right to make one connection, given by CircuitBreaker::admit().
struct Permit {
  uint32_t generation = 0;
  bool is_trial = false;
};

// A state change, told to the world by whoever made it happen. `from` is what was told before.
struct BreakerChange {
  BreakerState from;
  BreakerState to;
  uint32_t generation;                // the one that begins with the change
  std::optional<TimePoint> retry_at;  // when `to` is open: when it turns half_open
};

// A breaker that is open and whose reopening time has not been told of.
struct BreakerOpening {
  uint32_t generation;
  TimePoint opened_at;
  TimePoint reopens_at;
};

// What is kept of a breaker over a restart while it is not closed.
struct SavedBreaker {
  TimePoint reopens_at;  // past when it is half_open
  uint32_t failed_trials = 0;

  friend bool operator==(const SavedBreaker&, const SavedBreaker&) = default;
};

class CircuitBreaker {
 public:
  // Told of each change before anybody can act on it. It must not call back into the breaker.
  using Tell = FunctionRef<void(const BreakerChange&)>;

  // The state as of `now`; during a change, what it was before.
  BreakerState state(TimePoint now) const;

  // Whether it is closed; nothing in the middle of a change, of which will be told.
  std::optional<bool> is_closed() const;

  // Whether admit() would refuse now: only loads, for a cheap no.
  bool refuses(TimePoint now) const;

  // A permit, or nothing when the caller must not connect. The first to look after the reopening
  // time tells of half_open and gets the trial.
  std::optional<Permit> admit(TimePoint now, Tell tell);
  // The same for somebody who wants nothing but the trial: nothing while the breaker is closed.
  std::optional<Permit> admit_trial(TimePoint now, Tell tell);

  // Verdicts on a permit; each permit gets exactly one. Only a trial's verdict moves the breaker:
  // what ordinary connects add up to is the OutlierDetector's business. `abandoned` gives a trial
  // back without a verdict, the next to ask gets it.
  void succeeded(Permit permit, const CircuitBreakerSettings& settings, Tell tell);
  void failed(Permit permit, TimePoint now, const CircuitBreakerSettings& settings, Random& random,
              Tell tell);
  void abandoned(Permit permit);

  // Opens a closed breaker, if `generation` is still the current one: of any number of threads that
  // saw the threshold reached, one makes the change, and is told so. The open period is doubled
  // that many times before any trial has failed.
  bool trip(uint32_t generation, TimePoint now, const CircuitBreakerSettings& settings,
            Random& random, Tell tell, uint32_t doublings = 0);

  // Makes the breaker half_open now instead of later, if it still is in the opening of
  // `generation`.
  void begin_early_trial(uint32_t generation, Tell tell);

  // Tells of half_open if the reopening time has come and nobody has told of it yet.
  void announce_half_open(TimePoint now, Tell tell);

  // Closes it without a trial. A permit that is out changes nothing any more. Does nothing when it
  // is closed, or in the middle of a change by another thread.
  void reset(Tell tell);

  // What to keep of it, and back: a closed one opens until the time that was kept, at most for
  // max_recovery_timeout, with its doubling. An open one is left alone: false.
  std::optional<SavedBreaker> saved() const;
  bool restore(const SavedBreaker& saved, TimePoint now, const CircuitBreakerSettings& settings,
               Tell tell);

  // While it is open and half_open has not been told of, else nothing.
  std::optional<BreakerOpening> opening() const;
  // The reopening time in that case.
  std::optional<TimePoint> reopens_at() const;
  uint32_t generation() const;
  // How often it opened in all (failed trials included).
  uint64_t opens() const { return opens_.load(std::memory_order_relaxed); }

 private:
  struct Word;  // the atomic word's fields, in circuit_breaker.cc
  class Change;

  Word load() const;
  bool swap(Word seen, Word next);
  bool has_reopened(Word word, TimePoint now) const;
  void open(Change& change, TimePoint now, const CircuitBreakerSettings& settings, Random& random,
            Tell tell);

  std::atomic<uint64_t> word_{0};
  // Written only by the thread that has marked the word as changing.
  std::atomic<Duration::rep> reopens_at_{0};
  std::atomic<Duration::rep> opened_at_{0};
  // The exponent of the doubling: what trip() began with and the trials that failed since.
  std::atomic<uint32_t> failed_trials_{0};
  std::atomic<uint64_t> opens_{0};
};

}  // namespace sluice
