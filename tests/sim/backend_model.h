// One backend as the checker believes it to be: what it was told by the world and has heard from
// the core. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "outlier_model.h"
#include "sluice/core/backend.h"

namespace sluice::sim {

struct BackendModel {
  std::shared_ptr<Backend> backend;
  BackendSettings configured;
  bool is_member = false;
  AdminState admin_state = AdminState::ready;
  uint32_t weight = 1;
  uint32_t connections = 0;
  uint32_t probes = 0;

  BreakerState breaker = BreakerState::closed;
  bool is_noted_closed = true;  // as the control loop knows it
  uint64_t era = 0;             // changes with every transition
  uint32_t failures_in_row = 0;
  uint32_t trials_out = 0;
  uint32_t successes_in_row = 0;
  uint32_t failed_trials = 0;  // and what it had to begin with
  TimePoint opened_at;
  TimePoint retry_at;
  uint32_t passed_since_opening = 0;

  OutlierModel outliers;
  Detector ejected_by = Detector::none;
  // The end of its slow start, at the earliest and at the latest.
  TimePoint full_share_from;
  TimePoint full_share_by;

  Health health = Health::unknown;
  bool was_probed = false;
  uint32_t passed_in_row = 0;
  uint32_t failed_in_row = 0;

  std::optional<TimePoint> may_recover_since;  // up, probed and with a breaker
};

// One backend at a pick.
struct Candidate {
  const BackendModel* model;
  size_t level;
  bool was_tried;
  std::string_view obstacle;  // why nobody may be sent there; empty when available
  // How much of its share it takes, at least and at most; both 1 unless it is in its slow start.
  double share_min = 1;
  double share_max = 1;

  bool is_young() const { return share_min < 1; }
};

// Over many picks: how many more than expected went somewhere, and the variance of that number.
struct Excess {
  double count = 0;
  double variance = 0;
};

}  // namespace sluice::sim
