#include "sluice/core/retry_budget.h"

namespace sluice {

bool RetryBudget::allows_retry(const RetryBudgetSettings& settings, TimePoint now) {
  const OutcomeCounts counts = connects_.sum_up(now);
  const uint32_t retries = counts.failures + 1;
  return retries <= settings.min || retries * 100.0 <= settings.percent * (counts.volume() + 1);
}

}  // namespace sluice
