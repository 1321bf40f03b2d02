// The statistical detectors: which backends of a cluster stand out by the share of their connects
// that succeed. Pure: counts in, proposals out.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "sluice/core/outcome_window.h"
#include "sluice/core/outlier_settings.h"

namespace sluice {

struct OutlierProposal {
  size_t index;  // of the backend's counts
  Detector detector;
  double success_rate;  // percent
  std::string why;
};

// Every backend that stands out, by one detector each, the worst first.
//
// success_rate: the rate lies below mean - stdev_factor * deviation, over the backends with at
// least min_volume outcomes, of which there must be min_hosts. The deviation is the standard
// deviation of their rates (of the whole population), or, if that is larger, the one that chance
// alone would give a backend of this volume and the mean rate (binomial): among five backends one
// that differs at all is always two standard deviations off the mean, however little it differs,
// and one failed connect of many is no reason to eject it.
//
// failure_percentage: at least `threshold` percent of at least min_volume outcomes failed.
std::vector<OutlierProposal> find_outliers(std::span<const OutcomeCounts> backends,
                                           const OutlierSettings& settings);

}  // namespace sluice
