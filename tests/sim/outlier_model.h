// What the checker knows of one backend for the sake of outlier detection, counted by itself: how
// its connects went lately, the row of connections that ended early, and what its earlier openings
// still cost it. Part of the checker's model; one thread.
#pragma once

#include <cstdint>
#include <deque>

#include "sluice/base/time.h"
#include "sluice/core/outlier_settings.h"

namespace sluice::sim {

// Whether the configuration has the one who ejected; nobody always is.
bool is_on(Detector detector, const OutlierSettings& settings);

class OutlierModel {
 public:
  // The configuration says so from now on; what is off is forgotten.
  void apply(const OutlierSettings& settings);

  // The breaker has opened from closed, or has closed: a clean slate but for the penalty.
  void opened();
  void closed();

  // Connects of a closed breaker, in the window.
  struct Counts {
    uint32_t successes = 0;
    uint32_t failures = 0;
    uint32_t volume() const { return successes + failures; }
    double success_rate() const { return double{1} * successes / volume(); }
  };
  void count(bool is_success, TimePoint now);
  Counts counts(TimePoint now) const;

  // A passed probe or a connect, which counts for the backend when there are many in a row for
  // `span` or longer; and whatever ends such a row.
  void good_sign(TimePoint now, Duration span);
  void bad_sign() { good_signs_ = 0; }
  uint32_t doublings() const { return doublings_; }

  uint32_t closed_early_in_row = 0;

 private:
  struct Connect {
    TimePoint at;
    bool is_success;
  };

  int64_t bucket_of(TimePoint at) const { return at.time_since_epoch().count() / bucket_.count(); }

  Duration bucket_{1};
  std::deque<Connect> connects_;
  uint32_t doublings_ = 0;
  uint32_t good_signs_ = 0;
  TimePoint good_since_;
};

}  // namespace sluice::sim
