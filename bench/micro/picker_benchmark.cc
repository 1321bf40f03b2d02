// What placing one connection costs a worker: pick a backend, settle the connect as connected, give
// the place back. It bounds how many connections a second a worker can take, and it is the one part
// of a session whose cost grows with the number of backends.
//
// Each thread has its own Picker over the same snapshot, as workers have; they meet in the
// backends' counters. `idle`: no backend holds a connection but those of the benchmark. `busy`:
// every backend that is up holds some, and one that is down holds none, so that it looks like the
// best to least_connections until it declines. Each connection is of another client.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/core/cluster.h"
#include "sluice/core/picker.h"
#include "subjects.h"

namespace sluice::bench {
namespace {

constexpr uint32_t kConnectionsWhenBusy = 10;

enum class Condition : uint8_t {
  all_healthy,
  half_unhealthy,
  half_unhealthy_busy,
  half_open,
  half_open_busy,
  all_open,  // nobody to pick: what a refusal costs
};

struct NamedCondition {
  Condition condition;
  std::string_view name;
};

constexpr std::array<NamedCondition, 6> kConditions = {{
    {Condition::all_healthy, "all_healthy/idle"},
    {Condition::half_unhealthy, "half_unhealthy/idle"},
    {Condition::half_unhealthy_busy, "half_unhealthy/busy"},
    {Condition::half_open, "half_open/idle"},
    {Condition::half_open_busy, "half_open/busy"},
    {Condition::all_open, "all_open/refused"},
}};

std::vector<BackendSettings> backend_settings(size_t count) {
  std::vector<BackendSettings> settings;
  for (size_t i = 0; i < count; ++i) {
    const auto high = static_cast<uint8_t>(i >> 8U);
    const auto low = static_cast<uint8_t>(i & 0xFFU);
    settings.push_back({.name = fmt::format("backend-{}", i),
                        .address = Address::ipv4({10, 0, high, low}, 80),
                        .weight = 1,
                        .priority = 0,
                        .admin_state = AdminState::ready,
                        .health_check_port = std::nullopt});
  }
  return settings;
}

// A cluster in one condition, made when it is first used, so that a filtered run makes only what it
// measures. Every benchmark leaves it as it found it.
class Scene {
 public:
  Scene(const BalanceSettings& balance, size_t backends, Condition condition)
      : backends_(backends), condition_(condition) {
    settings_.balance = balance;
  }

  // A worker's own; any thread.
  Picker make_picker(Random random) {
    const std::lock_guard lock(mutex_);
    if (!cluster_) make_cluster();
    return {cluster_->snapshot(), random};
  }

  bool has_usable_backend() const { return condition_ != Condition::all_open; }

 private:
  void make_cluster() {
    cluster_ = std::make_shared<Cluster>(
        "web", [](const Transition&) {}, Random(1));
    const auto settings = backend_settings(backends_);
    const auto snapshot = cluster_->apply(settings_, settings, Arrival::cold_start, kNow);
    const auto& backends = snapshot->levels.front().backends;
    for (size_t i = 0; i < backends.size(); ++i) prepare(*backends[i], i % 2 == 1);
  }

  void prepare(Backend& backend, bool is_of_odd_half) {
    const bool is_unhealthy = is_of_odd_half && (condition_ == Condition::half_unhealthy ||
                                                 condition_ == Condition::half_unhealthy_busy);
    const bool is_open = (is_of_odd_half && (condition_ == Condition::half_open ||
                                             condition_ == Condition::half_open_busy)) ||
                         condition_ == Condition::all_open;
    const bool is_busy =
        condition_ == Condition::half_unhealthy_busy || condition_ == Condition::half_open_busy;
    // The first probe decides alone.
    cluster_->record_probe(backend,
                           {.began_at = kNow,
                            .passed = !is_unhealthy,
                            .result = is_unhealthy ? "refused" : "passed",
                            .permit = std::nullopt},
                           kNow);
    if (is_open) {
      CircuitBreaker& breaker = backend.breaker();
      breaker.trip(breaker.generation(), kNow, settings_.circuit_breaker, random_,
                   [](const BreakerChange&) {});
    }
    if (is_busy && !is_unhealthy && !is_open) {
      for (uint32_t i = 0; i < kConnectionsWhenBusy; ++i) backend.add_connection();
    }
  }

  const size_t backends_;
  const Condition condition_;
  ClusterSettings settings_;
  std::mutex mutex_;
  Random random_{2};
  std::shared_ptr<Cluster> cluster_;
};

IpBytes client_of(uint32_t number) {
  IpBytes ip;
  ip.size = 4;
  ip.bytes = {10, static_cast<uint8_t>(number >> 16U), static_cast<uint8_t>(number >> 8U),
              static_cast<uint8_t>(number)};
  return ip;
}

void place_connections(benchmark::State& state, Scene& scene) {
  Random random(static_cast<uint64_t>(state.thread_index()));
  Picker picker = scene.make_picker(Random(random.next()));
  const TriedBackends tried;
  const bool expects_backend = scene.has_usable_backend();
  uint32_t clients = 0;
  for (auto _ : state) {
    const IpBytes client = client_of(++clients);
    auto lease = picker.pick({.tried = tried, .now = kNow, .client = client});
    if (lease.has_value() != expects_backend) {
      state.SkipWithError("the picker's answer is not what the scene was made for");
      break;
    }
    if (lease) {
      lease->settle(ConnectOutcome::connected, kNow, random);
      lease->release();
    }
    benchmark::DoNotOptimize(lease);
  }
  state.SetItemsProcessed(state.iterations());
}

std::vector<std::pair<std::string, BalanceSettings>> policies() {
  std::vector<std::pair<std::string, BalanceSettings>> all;
  for (size_t i = 0; i < kBalancePolicyNames.size(); ++i) {
    const auto policy = static_cast<BalancePolicy>(i);
    all.emplace_back(name(policy), BalanceSettings{.policy = policy});
    if (!looks_at_the_client(policy)) continue;
    all.emplace_back(fmt::format("{}+max_load", name(policy)),
                     BalanceSettings{.policy = policy, .max_load = 125});
  }
  return all;
}

}  // namespace

void add_picker_benchmarks() {
  constexpr std::array<size_t, 3> kBackends = {3, 100, 10'000};
  for (const auto& [policy_name, balance] : policies()) {
    for (const NamedCondition& named : kConditions) {
      for (const size_t backends : kBackends) {
        const auto scene = std::make_shared<Scene>(balance, backends, named.condition);
        benchmark::RegisterBenchmark(
            fmt::format("pick/{}/{}/backends:{}", policy_name, named.name, backends).c_str(),
            [scene](benchmark::State& state) { place_connections(state, *scene); })
            ->ThreadRange(1, 8)
            ->UseRealTime();
      }
    }
  }
}

}  // namespace sluice::bench
