// What an operator says about outlier detection: which detectors watch the live connects of a
// cluster, and how far they may go. All off unless given.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sluice/base/time.h"

namespace sluice {

// Who proposed that a backend be taken out. `none`: nobody did.
enum class Detector : uint8_t {
  none,
  consecutive_failures,  // the breaker's own, always on
  success_rate,
  failure_percentage,
  early_close,
};

inline constexpr size_t kDetectors = 5;

// Those whose ejections count against max_ejected.
inline constexpr std::array kCappedDetectors{Detector::success_rate, Detector::failure_percentage,
                                             Detector::early_close};

constexpr std::string_view name(Detector detector) {
  switch (detector) {
    case Detector::none:
      return "none";
    case Detector::consecutive_failures:
      return "consecutive_failures";
    case Detector::success_rate:
      return "success_rate";
    case Detector::failure_percentage:
      return "failure_percentage";
    case Detector::early_close:
      return "early_close";
  }
  return "";
}

// Compares a backend with its peers.
struct SuccessRateSettings {
  bool is_enabled = false;
  uint32_t min_hosts = 5;     // with enough connects to be compared
  uint32_t min_volume = 100;  // connects in the window that are enough
  double stdev_factor = 1.9;  // standard deviations below the mean that are too far

  friend bool operator==(const SuccessRateSettings&, const SuccessRateSettings&) = default;
};

// Compares a backend with a fixed bound.
struct FailurePercentageSettings {
  bool is_enabled = false;
  double threshold = 85;  // percent of the connects in the window
  uint32_t min_volume = 50;

  friend bool operator==(const FailurePercentageSettings&,
                         const FailurePercentageSettings&) = default;
};

// Counts connections in a row that the backend ended before its first byte.
struct EarlyCloseSettings {
  bool is_enabled = false;
  uint32_t threshold = 5;

  friend bool operator==(const EarlyCloseSettings&, const EarlyCloseSettings&) = default;
};

struct OutlierSettings {
  bool is_enabled = false;
  Duration window = std::chrono::seconds(30);
  SuccessRateSettings success_rate;
  FailurePercentageSettings failure_percentage;
  EarlyCloseSettings early_close;
  double max_ejected = 10;  // percent of the cluster's backends
  Duration base_ejection = std::chrono::seconds(30);
  Duration max_ejection = std::chrono::minutes(5);

  // Whether anybody looks at the windows.
  bool is_statistical() const { return success_rate.is_enabled || failure_percentage.is_enabled; }

  bool is_on(Detector detector) const {
    switch (detector) {
      case Detector::none:
      case Detector::consecutive_failures:
        return true;
      case Detector::success_rate:
        return is_enabled && success_rate.is_enabled;
      case Detector::failure_percentage:
        return is_enabled && failure_percentage.is_enabled;
      case Detector::early_close:
        return is_enabled && early_close.is_enabled;
    }
    return false;
  }

  friend bool operator==(const OutlierSettings&, const OutlierSettings&) = default;
};

}  // namespace sluice
