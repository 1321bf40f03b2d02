#include "sluice/control/access_log.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "sluice/base/json.h"
#include "sluice/base/wall_time.h"

namespace sluice {
namespace {

// Why it went to that backend, of the last attempt.
void append_decision(std::string& line, const Decision& decision) {
  fmt::format_to(std::back_inserter(line), R"({{"policy":"{}","trial":{},"passed_over":{{)",
                 name(decision.policy), decision.is_trial);
  std::string_view separator;
  for (size_t i = 0; i < kObstacleNames.size(); ++i) {
    const uint8_t count = decision.passed_over(static_cast<Obstacle>(i));
    if (count == 0) continue;
    fmt::format_to(std::back_inserter(line), R"({}"{}":{})", separator, kObstacleNames[i], count);
    separator = ",";
  }
  line += "}}";
}

std::string json_line(const SessionRecord& record, std::string_view time) {
  const ListenerConfig& listener = record.listener->config();
  std::string line = fmt::format(R"({{"time":"{}","listener":)", time);
  append_json_string(line, listener.name);
  line += ",\"client\":";
  append_json_string(line, record.client.to_string());
  line += ",\"cluster\":";
  append_json_string(line, listener.cluster);
  line += ",\"backend\":";
  if (record.backend) {
    append_json_string(line, record.backend->name());
  } else {
    line += "null";
  }
  fmt::format_to(std::back_inserter(line),
                 R"(,"attempts":{},"received":{},"sent":{},"connect_ms":)", record.attempts,
                 record.received, record.sent);
  line += record.connect_time ? fmt::format("{}", to_ms(*record.connect_time)) : "null";
  fmt::format_to(std::back_inserter(line), R"(,"duration_ms":{},"reason":"{}","why":)",
                 to_ms(record.duration), name(record.reason));
  append_decision(line, record.decision);
  line += '}';
  return line;
}

std::string text_line(const SessionRecord& record, std::string_view time) {
  const ListenerConfig& listener = record.listener->config();
  return fmt::format(
      "time={} listener={} client={} cluster={} backend={} attempts={} received={} sent={} "
      "connect_ms={} duration_ms={} reason={}",
      time, listener.name, record.client.to_string(), listener.cluster,
      record.backend ? record.backend->name() : "-", record.attempts, record.received, record.sent,
      record.connect_time ? fmt::format("{}", to_ms(*record.connect_time)) : "-",
      to_ms(record.duration), name(record.reason));
}

}  // namespace

std::string format_access_line(const SessionRecord& record, std::string_view time,
                               LogFormat format) {
  return format == LogFormat::json ? json_line(record, time) : text_line(record, time);
}

AccessLog::AccessLog(UniqueFd sink, LogFormat format)
    : format_(format), sink_(std::move(sink)), thread_([this] { run(); }) {}

void AccessLog::end() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
  }
  sink_.hurry();
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
  LogLoss loss = sink_.loss();
  loss.lines += dropped_;
  return loss;
}

void AccessLog::run() {
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
  }
}

void AccessLog::write_batch(const std::vector<SessionRecord>& records) {
  // Records carry the loops' monotonic time; both clocks are read once per batch.
  const auto wall_now = WallTime::clock::now();
  const TimePoint now(std::chrono::steady_clock::now().time_since_epoch());
  std::string text;
  for (const SessionRecord& record : records) {
    const auto ended =
        wall_now - std::chrono::duration_cast<WallTime::duration>(now - record.ended_at);
    text += format_access_line(record, format_rfc3339(ended), format_);
    text += '\n';
  }
  sink_.write(text);
}

}  // namespace sluice
