// What the tests of the policies share: a policy over backends of its own, without a cluster, so
// that nothing but the order that it offers counts; and a bound for what chance may do.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/maglev_table.h"
#include "sluice/core/balancer.h"
#include "support.h"

namespace sluice {

using Backends = std::vector<std::shared_ptr<Backend>>;

inline BackendSettings named_backend(size_t number, uint32_t weight = 1) {
  const auto high = static_cast<uint8_t>(number >> 8U);
  const auto low = static_cast<uint8_t>(number & 0xFFU);
  return {.name = "backend-" + std::to_string(number),
          .address = Address::ipv4({10, 0, high, low}, 80),
          .weight = weight,
          .priority = 0,
          .admin_state = AdminState::ready,
          .health_check_port = std::nullopt};
}

// backend-0, backend-1 and so on.
inline Backends named_backends(const std::vector<uint32_t>& weights) {
  Backends backends;
  for (size_t i = 0; i < weights.size(); ++i) {
    backends.push_back(
        std::make_shared<Backend>(named_backend(i, weights[i]), Arrival::cold_start));
  }
  return backends;
}
inline Backends equal_backends(size_t count) {
  return named_backends(std::vector<uint32_t>(count, 1));
}

inline IpBytes client_v4(uint32_t number) {
  IpBytes ip;
  ip.size = 4;
  ip.bytes = {10, static_cast<uint8_t>(number >> 16U), static_cast<uint8_t>(number >> 8U),
              static_cast<uint8_t>(number)};
  return ip;
}
// In 2001:db8::/32, with `network` in the bytes before the host's 64 bits.
inline IpBytes client_v6(uint8_t network, uint8_t host) {
  IpBytes ip;
  ip.size = 16;
  ip.bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, network};
  ip.bytes[15] = host;
  return ip;
}

// Within five standard deviations of what so many independent picks give on average.
inline void expect_by_chance(size_t count, size_t picks, double probability) {
  const double average = static_cast<double>(picks) * probability;
  EXPECT_NEAR(static_cast<double>(count), average, 5 * std::sqrt(average * (1 - probability)) + 1)
      << "of " << picks;
}

class PolicyRig {
 public:
  explicit PolicyRig(BalanceSettings balance_settings, uint64_t seed = 1)
      : settings(balance_settings), balancer_(make_balancer(settings, Random(seed))) {}

  void adopt(Backends list) {
    backends = list;
    PriorityLevel level;
    level.backends = std::move(list);
    if (settings.policy == BalancePolicy::maglev) {
      level.maglev_table = std::make_shared<MaglevTable>(level.backends);
    }
    levels_.push_back(std::move(level));
    balancer_->adopt(levels_.back());
  }

  std::optional<size_t> choose(IpBytes client = {}) {
    return balancer_->choose(
        {.tried = {}, .now = kStart, .client = client},
        [this](const Backend& candidate) { return !dead.contains(&candidate); });
  }
  std::string choose_name(IpBytes client = {}) {
    const auto chosen = choose(client);
    return chosen ? backends[*chosen]->name() : "-";
  }
  // Chooses and holds a connection.
  size_t place(IpBytes client = {}) {
    const size_t chosen = choose(client).value();
    backends[chosen]->add_connection();
    return chosen;
  }
  // In the order in which they are offered when everybody declines.
  std::vector<std::string> offered(IpBytes client = {}) {
    std::vector<std::string> names;
    balancer_->choose({.tried = {}, .now = kStart, .client = client},
                      [&](const Backend& candidate) {
                        names.push_back(candidate.name());
                        return false;
                      });
    return names;
  }
  // How often each was chosen; the clients are 0, 1, 2...
  std::vector<size_t> counts(size_t picks) {
    std::vector<size_t> result(backends.size());
    for (uint32_t i = 0; i < picks; ++i) ++result[choose(client_v4(i)).value()];
    return result;
  }
  void kill(size_t index) { dead.insert(backends[index].get()); }
  void set_connections(size_t index, uint32_t count) {
    while (backends[index]->active_connections() > count) backends[index]->remove_connection();
    while (backends[index]->active_connections() < count) backends[index]->add_connection();
  }

  const BalanceSettings settings;
  Backends backends;
  std::set<const Backend*> dead;

 private:
  // A balancer's candidates outlive its next adopt().
  std::deque<PriorityLevel> levels_;
  std::unique_ptr<Balancer> balancer_;
};

}  // namespace sluice
