// Prints what a pick costs, with all backends alive and with all dead. A rough measure to look at,
// not a test: it asserts nothing.
#include <fmt/format.h>

#include <chrono>

#include "support.h"

namespace sluice {
namespace {

double nanoseconds_of(int times, const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) work();
  const std::chrono::duration<double, std::nano> span = std::chrono::steady_clock::now() - start;
  return span.count() / times;
}

std::vector<BackendSettings> many_backends(size_t count) {
  std::vector<BackendSettings> backends;
  for (size_t i = 0; i < count; ++i) {
    const auto high = static_cast<uint8_t>(i >> 8U);
    const auto low = static_cast<uint8_t>(i & 0xFFU);
    backends.push_back({.name = fmt::format("backend-{}", i),
                        .address = Address::ipv4({10, 0, high, low}, 80),
                        .weight = static_cast<uint32_t>(1 + i % 3),
                        .priority = 0,
                        .admin_state = AdminState::ready,
                        .health_check_port = std::nullopt});
  }
  return backends;
}

void print_cost(BalancePolicy policy, std::string_view policy_name, size_t count) {
  Random random(1);
  ClusterSettings settings;
  settings.balance = policy;
  const auto cluster = std::make_shared<Cluster>(
      "web", [](const Transition&) {}, random);
  const auto snapshot = cluster->apply(settings, many_backends(count), Arrival::cold_start, kStart);
  Picker picker(snapshot, random);
  const int times = count > 1000 ? 2000 : 200'000;
  const double alive = nanoseconds_of(
      times, [&] { picker.pick({}, kStart)->settle(ConnectOutcome::connected, kStart, random); });
  for (const auto& backend : snapshot->levels[0].backends) {
    CircuitBreaker& breaker = backend->breaker();
    breaker.trip(breaker.generation(), kStart, settings.circuit_breaker, random,
                 [](const BreakerChange&) {});
  }
  const double dead = nanoseconds_of(times / 10, [&] { picker.pick({}, kStart); });
  fmt::print("{:<18} {:>6} backends: {:>9.0f} ns a session, {:>9.0f} ns a refusal\n", policy_name,
             count, alive, dead);
}

}  // namespace
}  // namespace sluice

int main() {
  for (const size_t count : {3U, 100U, 10'000U}) {
    sluice::print_cost(sluice::BalancePolicy::round_robin, "round_robin", count);
    sluice::print_cost(sluice::BalancePolicy::least_connections, "least_connections", count);
  }
}
