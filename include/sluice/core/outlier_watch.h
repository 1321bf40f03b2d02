// What outlier detection keeps of one backend. Made by the control loop when outlier detection is
// switched on for the backend's cluster, and there as long as the backend: workers with an older
// snapshot may still look at it when it has been switched off. All of it is lock-free.
#pragma once

#include <atomic>

#include "sluice/core/flap_penalty.h"
#include "sluice/core/outcome_window.h"
#include "sluice/core/outlier_detector.h"
#include "sluice/core/outlier_settings.h"

namespace sluice {

struct OutlierWatch {
  OutcomeWindow window;
  OutlierDetector early_closes;  // counts connections that ended before the first byte
  FlapPenalty penalty;
  // The detector whose ejection holds the breaker open; `none` when the breaker's own verdict does
  // or it is closed. Whoever exchanges it for `none` gives the ejection back (EjectionBooks).
  std::atomic<Detector> ejected_by{Detector::none};

  // The breaker has closed and its `generation` begins: what was before is not held against it.
  void begin_generation(uint32_t generation) {
    window.clear();
    early_closes.begin_generation(generation);
    penalty.break_row();
  }
};

}  // namespace sluice
