#include "metrics_page.h"

#include <prometheus/text_serializer.h>

#include "process_facts.h"

namespace sluice {
namespace {

// A page that takes a while to make is made anew at most that often, however many ask.
constexpr Duration kGoodFor = std::chrono::milliseconds(500);
constexpr size_t kLargeBytes = size_t{512} * 1024;

}  // namespace

MetricsPage::MetricsPage(const AdminScope& scope)
    : scope_(scope),
      loop_lag_(scope.loop, [] { return true; }),
      process_start_(read_process_start()) {
  loop_lag_.watch();
}

const std::string& MetricsPage::render() {
  const TimePoint now = scope_.loop.now();
  if (now < text_is_good_until_) return text_;
  text_ = prometheus::TextSerializer().Serialize(Collect());
  if (text_.size() > kLargeBytes) text_is_good_until_ = now + kGoodFor;
  return text_;
}

MetricFamilies MetricsPage::Collect() const {
  MetricFamilies families;
  collect_listeners(scope_, families);
  collect_clusters(scope_, families);
  collect_backends(scope_, families);
  collect_workers(scope_, loop_lag_.worst(), families);
  collect_process(scope_, process_start_, families);
  return families;
}

}  // namespace sluice
