#include "sluice/core/circuit_breaker.h"

#include <algorithm>
#include <limits>

namespace sluice {
namespace {

// Longer open periods are cut to this, so that no sum of times can overflow.
constexpr Duration kOpenPeriodMax = std::chrono::hours(24 * 365);
// More doublings than this exceed kOpenPeriodMax from any period of a nanosecond or more.
constexpr uint32_t kDoublingsMax = 62;

// The open period after `failed_trials` of them in a row: doubled for each up to the maximum, then
// jittered, so that it exceeds the maximum by the jitter at most.
Duration open_period(uint32_t failed_trials, const CircuitBreakerSettings& settings,
                     Random& random) {
  const Duration period_max = std::min(settings.max_recovery_timeout, kOpenPeriodMax);
  Duration period = std::min(settings.recovery_timeout, period_max);
  const uint32_t doublings = std::min(failed_trials, kDoublingsMax);
  for (uint32_t i = 0; i < doublings && period < period_max; ++i) {
    period = period > period_max / 2 ? period_max : period * 2;
  }
  return std::max(random.jittered(period, settings.jitter), Duration::zero());
}

TimePoint time_point(Duration::rep nanoseconds) { return TimePoint(Duration(nanoseconds)); }

}  // namespace

struct CircuitBreaker::Word {
  bool is_open = false;
  bool is_changing = false;
  bool is_trial_out = false;
  bool is_half_open = false;  // as far as told; see has_reopened()
  uint32_t successes = 0;     // trials in a row, below success_threshold
  uint32_t generation = 0;

  static constexpr uint64_t kOpen = 1, kChanging = 2, kTrialOut = 4, kHalfOpen = 8;
  static constexpr uint32_t kSuccessesShift = 4, kSuccessesMax = (1U << 28U) - 1;
  static constexpr uint32_t kGenerationShift = 32;

  static Word unpack(uint64_t bits) {
    return {.is_open = (bits & kOpen) != 0,
            .is_changing = (bits & kChanging) != 0,
            .is_trial_out = (bits & kTrialOut) != 0,
            .is_half_open = (bits & kHalfOpen) != 0,
            .successes = static_cast<uint32_t>(bits >> kSuccessesShift) & kSuccessesMax,
            .generation = static_cast<uint32_t>(bits >> kGenerationShift)};
  }

  uint64_t pack() const {
    return (is_open ? kOpen : 0) | (is_changing ? kChanging : 0) | (is_trial_out ? kTrialOut : 0) |
           (is_half_open ? kHalfOpen : 0) | uint64_t{successes} << kSuccessesShift |
           uint64_t{generation} << kGenerationShift;
  }

  BreakerState told_state() const {
    if (!is_open) return BreakerState::closed;
    return is_half_open ? BreakerState::half_open : BreakerState::open;
  }

  bool awaits(Permit permit) const {
    return permit.is_trial && is_trial_out && !is_changing && generation == permit.generation;
  }
};

// A state change in progress. The word is marked as changing from construction to destruction,
// which publishes `next`, also when telling of it throws: a word left marked would refuse for ever.
class CircuitBreaker::Change {
 public:
  Change(CircuitBreaker& breaker, Word seen) : breaker_(breaker), seen_(seen) {
    next.generation = seen.generation + 1;
    seen.is_changing = true;
    is_mine_ = breaker.swap(seen_, seen);
  }
  ~Change() {
    if (is_mine_) breaker_.word_.store(next.pack(), std::memory_order_release);
  }
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

  // Whether this thread makes it; if not, somebody else was faster and the word is another one.
  explicit operator bool() const { return is_mine_; }

  void tell(Tell tell, std::optional<TimePoint> retry_at = std::nullopt) const {
    tell({seen_.told_state(), next.told_state(), next.generation, retry_at});
  }

  Word next;

 private:
  CircuitBreaker& breaker_;
  const Word seen_;
  bool is_mine_;
};

CircuitBreaker::Word CircuitBreaker::load() const {
  return Word::unpack(word_.load(std::memory_order_acquire));
}

bool CircuitBreaker::swap(Word seen, Word next) {
  uint64_t expected = seen.pack();
  return word_.compare_exchange_strong(expected, next.pack(), std::memory_order_acq_rel,
                                       std::memory_order_relaxed);
}

// The time may be that of a later opening than `word`; a swap of `word` then fails, because each
// opening has a generation of its own.
bool CircuitBreaker::has_reopened(Word word, TimePoint now) const {
  return word.is_half_open || now >= time_point(reopens_at_.load(std::memory_order_acquire));
}

BreakerState CircuitBreaker::state(TimePoint now) const {
  const Word word = load();
  if (!word.is_open) return BreakerState::closed;
  return has_reopened(word, now) ? BreakerState::half_open : BreakerState::open;
}

std::optional<bool> CircuitBreaker::is_closed() const {
  const Word word = load();
  if (word.is_changing) return std::nullopt;
  return !word.is_open;
}

bool CircuitBreaker::refuses(TimePoint now) const {
  const Word word = load();
  if (word.is_changing) return true;
  return word.is_open && (word.is_trial_out || !has_reopened(word, now));
}

std::optional<Permit> CircuitBreaker::admit(TimePoint now, Tell tell) {
  const Word word = load();
  if (!word.is_open && !word.is_changing) return Permit{word.generation, false};
  return admit_trial(now, tell);
}

std::optional<Permit> CircuitBreaker::admit_trial(TimePoint now, Tell tell) {
  // A lost swap means that another thread's was won, so this ends.
  while (true) {
    const Word seen = load();
    if (!seen.is_open || seen.is_changing || seen.is_trial_out || !has_reopened(seen, now)) {
      return std::nullopt;
    }
    Word next = seen;
    next.is_half_open = true;
    ++next.generation;
    if (!seen.is_half_open) {
      Change change(*this, seen);
      if (!change) continue;
      change.next = next;
      change.tell(tell);
      change.next.is_trial_out = true;
      return Permit{next.generation, true};
    }
    next.is_trial_out = true;
    if (swap(seen, next)) return Permit{next.generation, true};
  }
}

void CircuitBreaker::succeeded(Permit permit, const CircuitBreakerSettings& settings, Tell tell) {
  const Word seen = load();
  if (!seen.awaits(permit)) return;
  if (seen.successes + 1 >= std::min(settings.success_threshold, Word::kSuccessesMax)) {
    if (const Change change(*this, seen); change) change.tell(tell);
    return;
  }
  Word next = seen;
  next.is_trial_out = false;
  ++next.successes;
  ++next.generation;
  swap(seen, next);  // lost only to reset(), which made the permit an old one
}

void CircuitBreaker::failed(Permit permit, TimePoint now, const CircuitBreakerSettings& settings,
                            Random& random, Tell tell) {
  const Word seen = load();
  if (!seen.awaits(permit)) return;
  Change change(*this, seen);
  if (!change) return;
  const uint32_t failed_trials = failed_trials_.load(std::memory_order_relaxed);
  failed_trials_.store(std::min(failed_trials, kDoublingsMax) + 1, std::memory_order_relaxed);
  open(change, now, settings, random, tell);
}

void CircuitBreaker::abandoned(Permit permit) {
  const Word seen = load();
  if (!seen.awaits(permit)) return;
  Word next = seen;
  next.is_trial_out = false;
  ++next.generation;
  swap(seen, next);  // as in succeeded()
}

bool CircuitBreaker::trip(uint32_t generation, TimePoint now,
                          const CircuitBreakerSettings& settings, Random& random, Tell tell,
                          uint32_t doublings) {
  const Word seen = load();
  if (seen.is_open || seen.is_changing || seen.generation != generation) return false;
  Change change(*this, seen);
  if (!change) return false;
  failed_trials_.store(std::min(doublings, kDoublingsMax), std::memory_order_relaxed);
  open(change, now, settings, random, tell);
  return true;
}

void CircuitBreaker::open(Change& change, TimePoint now, const CircuitBreakerSettings& settings,
                          Random& random, Tell tell) {
  change.next.is_open = true;
  const uint32_t failed_trials = failed_trials_.load(std::memory_order_relaxed);
  const TimePoint reopens_at = now + open_period(failed_trials, settings, random);
  opened_at_.store(now.time_since_epoch().count(), std::memory_order_release);
  reopens_at_.store(reopens_at.time_since_epoch().count(), std::memory_order_release);
  opens_.fetch_add(1, std::memory_order_relaxed);
  change.tell(tell, reopens_at);
}

void CircuitBreaker::begin_early_trial(uint32_t generation, Tell tell) {
  const Word seen = load();
  if (!seen.is_open || seen.is_half_open || seen.is_changing || seen.generation != generation) {
    return;
  }
  if (Change change(*this, seen); change) {
    change.next.is_open = change.next.is_half_open = true;
    change.tell(tell);
  }
}

void CircuitBreaker::announce_half_open(TimePoint now, Tell tell) {
  const Word seen = load();
  if (!seen.is_open || seen.is_changing || seen.is_half_open || !has_reopened(seen, now)) return;
  begin_early_trial(seen.generation, tell);
}

void CircuitBreaker::reset(Tell tell) {
  const Word seen = load();
  if (!seen.is_open || seen.is_changing) return;
  if (const Change change(*this, seen); change) change.tell(tell);
}

// During a change it may be a mixture; the change is told of, and then it is saved again.
std::optional<SavedBreaker> CircuitBreaker::saved() const {
  const Word word = load();
  if (!word.is_open) return std::nullopt;
  const TimePoint opened_at = time_point(opened_at_.load(std::memory_order_acquire));
  const TimePoint reopens_at = time_point(reopens_at_.load(std::memory_order_acquire));
  return SavedBreaker{.reopens_at = word.is_half_open ? opened_at : reopens_at,
                      .failed_trials = failed_trials_.load(std::memory_order_relaxed)};
}

bool CircuitBreaker::restore(const SavedBreaker& saved, TimePoint now,
                             const CircuitBreakerSettings& settings, Tell tell) {
  const Word seen = load();
  if (seen.is_open || seen.is_changing) return false;
  Change change(*this, seen);
  if (!change) return false;
  const Duration period_max = std::min(settings.max_recovery_timeout, kOpenPeriodMax);
  const TimePoint reopens_at = std::clamp(saved.reopens_at, now, now + period_max);
  failed_trials_.store(std::min(saved.failed_trials, kDoublingsMax), std::memory_order_relaxed);
  opened_at_.store(now.time_since_epoch().count(), std::memory_order_release);
  reopens_at_.store(reopens_at.time_since_epoch().count(), std::memory_order_release);
  change.next.is_open = true;
  change.tell(tell, reopens_at);
  return true;
}

std::optional<BreakerOpening> CircuitBreaker::opening() const {
  // A second look that differs means another thread's change, so this ends.
  while (true) {
    const uint64_t bits = word_.load(std::memory_order_acquire);
    const Word word = Word::unpack(bits);
    if (!word.is_open || word.is_half_open || word.is_changing) return std::nullopt;
    const BreakerOpening opening{
        .generation = word.generation,
        .opened_at = time_point(opened_at_.load(std::memory_order_acquire)),
        .reopens_at = time_point(reopens_at_.load(std::memory_order_acquire))};
    if (word_.load(std::memory_order_acquire) == bits) return opening;
  }
}

std::optional<TimePoint> CircuitBreaker::reopens_at() const {
  const std::optional<BreakerOpening> current = opening();
  return current ? std::optional(current->reopens_at) : std::nullopt;
}

uint32_t CircuitBreaker::generation() const { return load().generation; }

}  // namespace sluice
