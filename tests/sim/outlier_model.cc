#include "outlier_model.h"

namespace sluice::sim {
namespace {

constexpr int64_t kBuckets = 16;  // of the window
constexpr uint32_t kGoodSigns = 20;
constexpr uint32_t kDoublingsMax = 62;

}  // namespace

bool is_on(Detector detector, const OutlierSettings& settings) {
  if (detector == Detector::none) return true;
  if (!settings.is_enabled) return false;
  return (detector == Detector::success_rate && settings.success_rate.is_enabled) ||
         (detector == Detector::failure_percentage && settings.failure_percentage.is_enabled) ||
         (detector == Detector::early_close && settings.early_close.is_enabled);
}

void OutlierModel::apply(const OutlierSettings& settings) {
  const Duration bucket((settings.window.count() + kBuckets - 1) / kBuckets);
  const bool is_counting = settings.is_enabled && (settings.success_rate.is_enabled ||
                                                   settings.failure_percentage.is_enabled);
  if (bucket != bucket_ || !is_counting) connects_.clear();
  bucket_ = bucket;
  if (!settings.is_enabled || !settings.early_close.is_enabled) closed_early_in_row = 0;
  if (!settings.is_enabled) doublings_ = good_signs_ = 0;
}

void OutlierModel::opened() {
  if (doublings_ < kDoublingsMax) ++doublings_;
  good_signs_ = 0;
}

void OutlierModel::closed() {
  connects_.clear();
  closed_early_in_row = 0;
  good_signs_ = 0;
}

void OutlierModel::count(bool is_success, TimePoint now) {
  while (!connects_.empty() && bucket_of(connects_.front().at) <= bucket_of(now) - kBuckets) {
    connects_.pop_front();
  }
  connects_.push_back({now, is_success});
}

OutlierModel::Counts OutlierModel::counts(TimePoint now) const {
  Counts counts;
  for (const Connect& connect : connects_) {
    if (bucket_of(connect.at) <= bucket_of(now) - kBuckets) continue;
    ++(connect.is_success ? counts.successes : counts.failures);
  }
  return counts;
}

// Times in whole milliseconds, as an operator reads them.
void OutlierModel::good_sign(TimePoint now, Duration span) {
  if (doublings_ == 0) return;
  if (good_signs_++ == 0) good_since_ = now;
  const int64_t lasted = to_ms(now.time_since_epoch()) - to_ms(good_since_.time_since_epoch());
  if (good_signs_ < kGoodSigns || lasted < to_ms(span)) return;
  --doublings_;
  good_signs_ = 0;
}

}  // namespace sluice::sim
