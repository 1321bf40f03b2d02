#include "sluice/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <vector>

#include "pipe.h"

namespace sluice {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

// A log on a pipe, and what comes out at the other end.
class LogTest : public testing::Test {
 protected:
  void open(Log::Options options) {
    auto [reader, writer] = make_pipe();
    reader_ = std::move(reader);
    log_.emplace(std::move(writer), options);
  }

  // Everything written; ends the log.
  std::string written() {
    log_.reset();
    return read_all(reader_);
  }

  std::optional<Log> log_;
  UniqueFd reader_;
};

TEST_F(LogTest, a_json_line_has_time_level_message_event_and_the_fields) {
  open({.format = LogFormat::json});
  log_->warning("breaker", "it \"opened\"", {{"backend", "10.0.0.1:80"}, {"retry_in_ms", 30000}});
  const std::string text = written();
  EXPECT_THAT(text,
              MatchesRegex("\\{\"time\":\"[0-9-]+T[0-9:]+\\.[0-9]+Z\",\"level\":\"warning\",.*\n"));
  EXPECT_THAT(
      text,
      HasSubstr(
          R"("message":"it \"opened\"","event":"breaker","backend":"10.0.0.1:80","retry_in_ms":30000})"));
}

TEST_F(LogTest, a_text_line_quotes_only_what_needs_it) {
  open({});
  log_->info("health", "all well",
             {{"why", "first probe passed"}, {"backend", "a:1"}, {"empty", ""}});
  const std::string text = written();
  EXPECT_THAT(
      text,
      HasSubstr(R"(info    all well  event=health why="first probe passed" backend=a:1 empty="")"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST_F(LogTest, colour_is_only_there_when_asked_for) {
  open({.use_color = true});
  log_->error("x", "bad");
  EXPECT_THAT(written(), HasSubstr("\x1b[31m"));
}

TEST_F(LogTest, lines_below_the_level_are_not_written) {
  open({.level = LogLevel::warning});
  log_->debug("x", "debug line");
  log_->info("x", "info line");
  log_->warning("x", "warning line");
  const std::string text = written();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_THAT(text, HasSubstr("warning line"));
}

TEST_F(LogTest, a_line_break_in_a_message_stays_one_line_in_json) {
  open({.format = LogFormat::json});
  log_->info("x", "two\nlines");
  const std::string text = written();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST_F(LogTest, a_line_break_in_a_message_stays_one_line_in_text_too) {
  open({});
  log_->info("x", "two\nlines");
  EXPECT_THAT(written(), HasSubstr("two\\u000alines  event=x\n"));
}

TEST_F(LogTest, lines_of_many_threads_do_not_mix) {
  open({.format = LogFormat::json});
  std::string text;
  std::thread reader([this, &text] { text = read_all(reader_); });
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([this] {
      for (int line = 0; line < 100; ++line) log_->info("x", std::string(200, 'm'));
    });
  }
  for (std::thread& writer : writers) writer.join();
  log_.reset();
  reader.join();
  size_t from = 0;
  int lines = 0;
  for (size_t end = 0; (end = text.find('\n', from)) != std::string::npos;
       from = end + 1, ++lines) {
    EXPECT_EQ(text[from], '{');
    EXPECT_EQ(text[end - 1], '}');
  }
  EXPECT_EQ(lines, 800);
}

TEST_F(LogTest, after_reopen_lines_go_to_the_new_file) {
  open({});
  log_->info("x", "before");
  log_->writer().flush();
  auto [reader, writer] = make_pipe();
  log_->writer().reopen(std::move(writer));
  EXPECT_THAT(read_all(reader_), HasSubstr("before"));  // ends: the old file was closed
  log_->info("x", "after");
  log_.reset();
  EXPECT_THAT(read_all(reader), HasSubstr("after"));
}

TEST_F(LogTest, a_full_queue_drops_lines_and_counts_them_and_nobody_waits) {
  open({});
  for (size_t i = 0; i < 3 * LogWriter::kQueuedLinesMax; ++i) {
    log_->info("x", std::string(64, 'm'));  // nobody reads: the pipe holds about 64 KiB
  }
  EXPECT_GT(log_->writer().loss().lines, 0U);
  std::thread reader([this] { read_all(reader_); });
  log_.reset();
  reader.join();
}

}  // namespace
}  // namespace sluice
