#include "sluice/control/access_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include "pipe.h"
#include "session_records.h"
#include "sluice/base/file_sink.h"

namespace sluice {
namespace {

using test::finished_session;

std::unique_ptr<LogSink> file_sink(UniqueFd fd) {
  return std::make_unique<FileSink>(std::move(fd));
}

TEST(access_log, everything_submitted_is_written_before_it_is_destroyed) {
  PipeEnds pipe = make_pipe();
  {
    AccessLog log(file_sink(std::move(pipe.writer)), {});
    for (int i = 0; i < 10; ++i) {
      log.submit(std::vector<SessionRecord>(7, finished_session()));
    }
  }
  const std::string text = read_all(pipe.reader);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 70);
}

TEST(access_log, a_full_queue_drops_whole_batches_and_counts_them) {
  std::signal(SIGPIPE, SIG_IGN);
  PipeEnds pipe = make_pipe();
  AccessLog log(file_sink(std::move(pipe.writer)), {.format = AccessLogFormat::json()});
  // Nobody reads: the writer blocks on the pipe, and the queue behind it fills.
  const std::vector<SessionRecord> batch(AccessLog::kQueuedRecordsMax, finished_session());
  for (int i = 0; i < 4; ++i) log.submit(batch);
  EXPECT_GE(log.loss().lines, AccessLog::kQueuedRecordsMax);
  pipe.reader.reset();  // lets the writer go: EPIPE
}

TEST(access_log, a_long_queue_is_written_whole_and_in_order) {
  PipeEnds pipe = make_pipe();
  constexpr uint64_t kSessions = 3000;  // more than one write's worth
  std::string text;
  std::thread reader([&] { text = read_all(pipe.reader); });
  {
    std::vector<AccessLogFormat::Problem> problems;
    AccessLog log(file_sink(std::move(pipe.writer)),
                  {.format = AccessLogFormat::compile("%{sent} %{client}", problems)});
    std::vector<SessionRecord> records;
    for (uint64_t i = 0; i < kSessions; ++i) {
      records.push_back(finished_session());
      records.back().sent = i;
    }
    log.submit(std::move(records));
  }
  reader.join();
  std::string expected;
  for (uint64_t i = 0; i < kSessions; ++i) expected += std::to_string(i) + " 10.0.0.9:5123\n";
  EXPECT_EQ(text, expected);
}

TEST(access_log, after_reopen_lines_go_to_the_new_file) {
  PipeEnds before = make_pipe();
  PipeEnds after = make_pipe();
  {
    AccessLog log(file_sink(std::move(before.writer)), {});
    log.reopen(std::move(after.writer));
    EXPECT_EQ(read_all(before.reader), "");  // ends when the log has let go of it
    log.submit({finished_session()});
  }
  EXPECT_NE(read_all(after.reader).find("reason=client_closed"), std::string::npos);
}

}  // namespace
}  // namespace sluice
