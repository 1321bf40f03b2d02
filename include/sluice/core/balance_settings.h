// How a cluster chooses among its backends: the policy and what it is told. A plain value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

enum class BalancePolicy : uint8_t {
  round_robin,
  least_connections,
  random,
  source_hash,
  maglev,
  first,
};

// In the order of the enumerators, spelled as in conf and logs.
inline constexpr std::array<std::string_view, 6> kBalancePolicyNames = {
    "round_robin", "least_connections", "random", "source_hash", "maglev", "first"};

constexpr std::string_view name(BalancePolicy policy) {
  return kBalancePolicyNames[static_cast<size_t>(policy)];
}

constexpr bool looks_at_the_client(BalancePolicy policy) {
  return policy == BalancePolicy::source_hash || policy == BalancePolicy::maglev;
}

constexpr bool goes_by_load(BalancePolicy policy) {
  return policy == BalancePolicy::least_connections || policy == BalancePolicy::random;
}

// Of those drawn at random, the one with the least load is taken.
inline constexpr uint32_t kChoicesMax = 32;

struct BalanceSettings {
  BalancePolicy policy = BalancePolicy::round_robin;
  uint32_t choices = 2;      // random: how many are drawn; 1 to kChoicesMax
  uint32_t prefix_v4 = 32;   // the hashes: leading bits of the address that count
  uint32_t prefix_v6 = 128;  // the same
  std::optional<uint32_t> max_load =
      std::nullopt;                 // the hashes: percent of a fair share, above 100
  uint32_t overprovisioning = 140;  // percent: when a priority spills over to the next

  friend bool operator==(const BalanceSettings&, const BalanceSettings&) = default;
};

}  // namespace sluice
