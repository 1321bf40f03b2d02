// A breaker under a made-up clock, and what it tells of its changes.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <vector>

#include "sluice/core/circuit_breaker.h"

namespace sluice {

class CircuitBreakerTest : public ::testing::Test {
 protected:
  void trip() { breaker.trip(breaker.generation(), now, settings, random, hear); }
  std::optional<Permit> admit() { return breaker.admit(now, hear); }
  std::optional<Permit> admit_trial() { return breaker.admit_trial(now, hear); }
  void succeeded(Permit permit) { breaker.succeeded(permit, settings, hear); }
  void failed(Permit permit) { breaker.failed(permit, now, settings, random, hear); }
  void announce() { breaker.announce_half_open(now, hear); }
  BreakerState state() const { return breaker.state(now); }
  Duration open_period() const { return breaker.reopens_at().value() - now; }

  void pass_open_period() { now = breaker.reopens_at().value(); }
  Permit trip_and_take_trial() {
    trip();
    pass_open_period();
    return admit().value();
  }

  TimePoint now{std::chrono::hours(1000)};
  Random random{7};
  CircuitBreakerSettings settings{.jitter = 0};
  CircuitBreaker breaker;
  std::vector<BreakerChange> changes;
  std::function<void(const BreakerChange&)> hear = [this](const BreakerChange& change) {
    changes.push_back(change);
  };
};

}  // namespace sluice
