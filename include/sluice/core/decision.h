// Why a connection went where it went: the policy, whether it is a breaker's trial, and how many
// candidates were passed over for which reason before one took it. Eight bytes, because every
// session keeps one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "sluice/core/balance_settings.h"

namespace sluice {

// Why a candidate did not take a connection; the words are those of logs and the admin API.
enum class Obstacle : uint8_t {
  tried,           // by this session already
  administrative,  // draining or in maintenance
  health,          // unhealthy, or unknown while another one is healthy
  limit,           // has as many connections as it may
  slow_start,      // back only just, so it takes a part of its share
  breaker,         // open, or its trial is out
};

inline constexpr std::array<std::string_view, 6> kObstacleNames = {
    "tried", "administrative", "health", "limit", "slow_start", "breaker"};

constexpr std::string_view name(Obstacle obstacle) {
  return kObstacleNames[static_cast<size_t>(obstacle)];
}

class Decision {
 public:
  void pass_over(Obstacle obstacle) {
    uint8_t& count = passed_over_[static_cast<size_t>(obstacle)];
    if (count < kCountMax) ++count;
  }
  // Candidates passed over for that reason; kCountMax means that many or more.
  uint8_t passed_over(Obstacle obstacle) const {
    return passed_over_[static_cast<size_t>(obstacle)];
  }
  static constexpr uint8_t kCountMax = std::numeric_limits<uint8_t>::max();

  BalancePolicy policy = BalancePolicy::round_robin;
  bool is_trial = false;

 private:
  std::array<uint8_t, kObstacleNames.size()> passed_over_{};
};

}  // namespace sluice
