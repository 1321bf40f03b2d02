// What the tests of the core share: a made-up clock, backends by the dozen, a cluster with an ear
// for its transitions, and threads that begin at once.
#pragma once

#include <gtest/gtest.h>

#include <barrier>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sluice/core/cluster.h"
#include "sluice/core/picker.h"

namespace sluice {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Where the made-up clocks start; far from zero, as a machine's is.
inline constexpr TimePoint kStart{std::chrono::hours(1000)};

// Of a client that has tried nothing and has no address.
inline constexpr PickRequest kRequest = {.tried = {}, .now = kStart, .client = {}};

inline BackendSettings backend_settings(uint8_t number, uint32_t weight = 1,
                                        uint32_t priority = 0) {
  const Address address = Address::ipv4({10, 0, 0, number}, 80);
  return {.name = address.to_string(),
          .address = address,
          .weight = weight,
          .priority = priority,
          .admin_state = AdminState::ready,
          .health_check_port = std::nullopt};
}

inline std::vector<BackendSettings> backend_settings_of(size_t count) {
  std::vector<BackendSettings> settings;
  for (size_t i = 0; i < count; ++i) {
    settings.push_back(backend_settings(static_cast<uint8_t>(i + 1)));
  }
  return settings;
}

inline std::vector<std::shared_ptr<Backend>> make_backends(const std::vector<uint32_t>& weights) {
  std::vector<std::shared_ptr<Backend>> backends;
  for (const uint32_t weight : weights) {
    const auto number = static_cast<uint8_t>(backends.size() + 1);
    backends.push_back(
        std::make_shared<Backend>(backend_settings(number, weight), Arrival::cold_start));
  }
  return backends;
}

inline ClusterSettings steady_settings() {
  ClusterSettings settings;
  settings.circuit_breaker.jitter = 0;
  return settings;
}

inline constexpr size_t kThreads = 8;

// Runs `work(thread)` on so many threads at once.
inline void run_threads(const std::function<void(size_t)>& work, size_t count = kThreads) {
  std::barrier start(static_cast<std::ptrdiff_t>(count));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      work(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// A cluster, its clock, and every transition it told of.
class ClusterTest : public ::testing::Test {
 protected:
  void apply(const std::vector<BackendSettings>& backends, Arrival arrival = Arrival::cold_start) {
    snapshot = cluster->apply(settings, backends, arrival, now);
  }

  // In the order of the list; by priority, if they differ.
  Backend& backend(size_t index) {
    for (const PriorityLevel& level : snapshot->levels) {
      if (index < level.backends.size()) return *level.backends[index];
      index -= level.backends.size();
    }
    throw std::out_of_range("no such backend");
  }

  const PriorityLevel& level_of(const Backend& wanted) {
    for (const PriorityLevel& level : snapshot->levels) {
      for (const auto& candidate : level.backends) {
        if (candidate.get() == &wanted) return level;
      }
    }
    throw std::out_of_range("not in the snapshot");
  }

  std::optional<Permit> admit(Backend& wanted) {
    const auto admission = snapshot->cluster->admit(*snapshot, level_of(wanted), wanted, now);
    return admission ? std::optional(*admission) : std::nullopt;
  }

  // Whether it takes a connection, without leaving a trace.
  bool admits(Backend& wanted) {
    const auto permit = admit(wanted);
    if (!permit) return false;
    wanted.breaker().abandoned(*permit);
    wanted.remove_connection();
    return true;
  }

  // One connection from its admission to its end; false when it was not admitted.
  bool connect(Backend& wanted, ConnectOutcome outcome) {
    const auto permit = admit(wanted);
    if (!permit) return false;
    cluster->record_connect(*snapshot, wanted, *permit, outcome, now, random);
    wanted.remove_connection();
    return true;
  }

  void connect_times(uint32_t times, Backend& wanted, ConnectOutcome outcome) {
    for (uint32_t i = 0; i < times; ++i) connect(wanted, outcome);
  }

  void trip(Backend& wanted) {
    connect_times(settings.circuit_breaker.failure_threshold, wanted, ConnectOutcome::refused);
  }

  // A probe that began and ended now, with the trial if there is one to be had.
  void probe(Backend& wanted, bool passed, std::string_view failure = "refused") {
    cluster->record_probe(wanted,
                          {.began_at = now,
                           .passed = passed,
                           .result = passed ? "passed" : failure,
                           .permit = cluster->admit_probe(wanted, now)},
                          now);
  }
  // The same to another port, which has no business with the breaker.
  void probe_aside(Backend& wanted, bool passed) {
    cluster->record_probe(wanted,
                          {.began_at = now,
                           .passed = passed,
                           .result = passed ? "passed" : "refused",
                           .permit = std::nullopt},
                          now);
  }

  BreakerState breaker_state(const Backend& wanted) { return wanted.breaker().state(now); }

  // "breaker closed->open: why", of all transitions since the last call.
  std::vector<std::string> told() {
    std::vector<std::string> lines;
    for (const Transition& transition : std::exchange(transitions, {})) {
      lines.push_back(std::string(name(transition.kind)) + " " + std::string(transition.from) +
                      "->" + std::string(transition.to) + ": " + transition.why);
    }
    return lines;
  }

  using Lines = std::vector<std::string>;

  TimePoint now = kStart;
  Random random{1};
  ClusterSettings settings = steady_settings();
  std::vector<Transition> transitions;
  std::shared_ptr<Cluster> cluster = std::make_shared<Cluster>(
      "web", [this](Transition transition) { transitions.push_back(std::move(transition)); },
      Random(2));
  std::shared_ptr<const ClusterSnapshot> snapshot;
};

}  // namespace sluice
