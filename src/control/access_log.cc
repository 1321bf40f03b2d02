#include "sluice/control/access_log.h"

#include <iterator>
#include <utility>

#include "sluice/base/thread_name.h"
#include "sluice/base/wall_time.h"
#include "sluice/control/access_line.h"

namespace sluice {
namespace {

// Lines are written in pieces of about that size.
constexpr size_t kWriteBytes = 65536;
// A queue that was longer gives its memory back.
constexpr size_t kKeptRecordsMax = 4096;

}  // namespace

AccessLog::AccessLog(std::unique_ptr<LogSink> sink, Options options)
    : options_(std::move(options)), sink_(std::move(sink)), thread_([this] { run(); }) {}

void AccessLog::end() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
  }
  sink_->hurry();
  has_work_.notify_one();
  thread_.join();
}

void AccessLog::submit(std::vector<SessionRecord> records) {
  {
    const std::scoped_lock lock(mutex_);
    if (queue_.size() + records.size() > kQueuedRecordsMax) {
      dropped_ += records.size();
      return;
    }
    std::move(records.begin(), records.end(), std::back_inserter(queue_));
  }
  has_work_.notify_one();
}

LogLoss AccessLog::loss() {
  const std::scoped_lock lock(mutex_);
  LogLoss loss = sink_->loss();
  loss.lines += dropped_;
  return loss;
}

void AccessLog::run() {
  name_this_thread("access log");
  std::vector<SessionRecord> batch;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      has_work_.wait(lock, [this] { return is_ending_ || !queue_.empty(); });
      if (queue_.empty()) return;
      batch.swap(queue_);
    }
    write_batch(batch);
    batch.clear();
    if (batch.capacity() > kKeptRecordsMax) batch.shrink_to_fit();
  }
}

void AccessLog::write_batch(const std::vector<SessionRecord>& records) {
  // Records carry the loops' monotonic time; both clocks are read once per batch.
  const auto wall_now = WallTime::clock::now();
  const TimePoint now(std::chrono::steady_clock::now().time_since_epoch());
  Rfc3339Writer time;
  std::string text;
  const auto write = [&] {
    sink_->write(text, options_.severity);
    text.clear();
  };
  for (const SessionRecord& record : records) {
    const auto ended =
        wall_now - std::chrono::duration_cast<WallTime::duration>(now - record.ended_at);
    append_access_line(text, record, time.text(ended), options_.format);
    text += '\n';
    if (text.size() >= kWriteBytes) write();
  }
  if (!text.empty()) write();
}

}  // namespace sluice
