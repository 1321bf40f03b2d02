// How many connects may be second or later attempts, so that retries do not multiply an outage: a
// share of all connects of the last ten seconds, and always a few. One per cluster, lock-free, any
// thread; several threads at the same instant may together exceed it by as many as they are.
#pragma once

#include <cstdint>

#include "sluice/base/time.h"
#include "sluice/core/outcome_window.h"

namespace sluice {

struct RetryBudgetSettings {
  bool is_enabled = false;
  double percent = 20;  // of the connects of the last kWindow
  uint32_t min = 10;    // retries that there may always be in that time

  friend bool operator==(const RetryBudgetSettings&, const RetryBudgetSettings&) = default;
};

class RetryBudget {
 public:
  static constexpr Duration kWindow = std::chrono::seconds(10);

  RetryBudget() { connects_.set_length(kWindow); }

  // Whether one more retry keeps within the budget.
  bool allows_retry(const RetryBudgetSettings& settings, TimePoint now);

  void count_first_attempt(TimePoint now) { connects_.add(OutcomeWindow::Outcome::success, now); }
  void count_retry(TimePoint now) { connects_.add(OutcomeWindow::Outcome::failure, now); }

 private:
  OutcomeWindow connects_;  // a retry in the place of a failure
};

}  // namespace sluice
