#include "metrics_page.h"

#include <prometheus/text_serializer.h>
#include <uv.h>

#include <utility>

#include "process_facts.h"

namespace sluice {
namespace {

constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";
// A page of so many series takes a few milliseconds to write.
constexpr size_t kManySeries = 2000;
// Such a page is made anew at most that often, however many ask.
constexpr Duration kGoodFor = std::chrono::milliseconds(500);

size_t count_series(const MetricFamilies& families) {
  size_t count = 0;
  for (const prometheus::MetricFamily& family : families) count += family.metric.size();
  return count;
}

HttpAnswer answer_with(SharedText text) {
  HttpAnswer answer;
  answer.shared_body = std::move(text);
  answer.content_type = kContentType;
  return answer;
}

}  // namespace

// Lives until libuv has told of its end, whatever becomes of the page.
struct MetricsPage::Writing {
  uv_work_t request{};
  MetricFamilies families;
  std::string text;
  std::weak_ptr<MetricsPage*> page;
};

MetricsPage::MetricsPage(const AdminScope& scope, const AdminRefusals& refusals, OnWork on_work)
    : scope_(scope),
      refusals_(refusals),
      on_work_(std::move(on_work)),
      loop_lag_(scope.loop, [] { return true; }),
      process_start_(read_process_start()),
      open_fds_(scope.loop) {
  loop_lag_.watch();
}

void MetricsPage::show(HttpReply reply) {
  if (scope_.loop.now() < text_is_good_until_) {
    reply(answer_with(text_));
    return;
  }
  if (!waiting_.empty()) {
    waiting_.push_back(std::move(reply));
    return;
  }
  MetricFamilies families = Collect();
  if (count_series(families) < kManySeries) {
    reply(answer_with(share_text(prometheus::TextSerializer().Serialize(families))));
    return;
  }
  waiting_.push_back(std::move(reply));
  begin_writing(std::move(families));
}

void MetricsPage::begin_writing(MetricFamilies families) {
  auto writing = std::make_unique<Writing>();
  writing->families = std::move(families);
  writing->page = presence_;
  writing->request.data = writing.get();
  uv_queue_work(
      scope_.loop.raw(), &writing->request,
      [](uv_work_t* request) {
        auto* work = static_cast<Writing*>(request->data);
        work->text = prometheus::TextSerializer().Serialize(work->families);
        work->families.clear();
      },
      [](uv_work_t* request, int) {
        const std::unique_ptr<Writing> done(static_cast<Writing*>(request->data));
        if (const auto page = done->page.lock()) (*page)->take(std::move(done->text));
      });
  static_cast<void>(writing.release());  // the callback's
}

void MetricsPage::take(std::string text) {
  const uint64_t begun = uv_hrtime();
  text_ = share_text(std::move(text));
  text_is_good_until_ = scope_.loop.now() + kGoodFor;
  for (const HttpReply& reply : std::exchange(waiting_, {})) reply(answer_with(text_));
  on_work_(Duration(uv_hrtime() - begun));
}

MetricFamilies MetricsPage::Collect() const {
  MetricFamilies families;
  collect_listeners(scope_, families);
  collect_clusters(scope_, families);
  collect_backends(scope_, families);
  collect_workers(scope_, loop_lag_.worst(), families);
  collect_admin(refusals_, families);
  collect_process(scope_, process_start_, open_fds_.count(), families);
  return families;
}

}  // namespace sluice
