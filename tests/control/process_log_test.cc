#include "sluice/control/process_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

namespace sluice {
namespace {

using std::chrono::seconds;

class ProcessLogTest : public testing::Test {
 protected:
  ProcessLogTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    reader_ = UniqueFd(ends[0]);
    log_ = std::make_unique<Log>(UniqueFd(ends[1]), Log::Options{.format = LogFormat::json});
    process_log_ = std::make_unique<ProcessLog>(*log_);
  }

  // Everything written; ends the log.
  std::string written() {
    process_log_.reset();
    log_.reset();
    std::string text;
    std::array<char, 4096> chunk{};
    for (ssize_t bytes = 0; (bytes = ::read(reader_.get(), chunk.data(), chunk.size())) > 0;) {
      text.append(chunk.data(), static_cast<size_t>(bytes));
    }
    return text;
  }

  static size_t lines(const std::string& text) {
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  UniqueFd reader_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<ProcessLog> process_log_;
  const TimePoint now_{seconds(1000)};
};

TEST_F(ProcessLogTest, a_transition_is_one_line_with_who_from_to_why_and_when_again) {
  process_log_->transition({.kind = Transition::Kind::breaker,
                            .cluster = "web",
                            .backend = "10.0.0.1:80",
                            .from = "closed",
                            .to = "open",
                            .why = "5 connect failures in a row, last: refused",
                            .at = now_,
                            .retry_at = now_ + seconds(30)},
                           now_);
  const std::string text = written();
  EXPECT_EQ(lines(text), 1U);
  for (const char* part :
       {R"("level":"warning")", R"("event":"breaker")", R"("cluster":"web")",
        R"("backend":"10.0.0.1:80")", R"("from":"closed")", R"("to":"open")",
        R"("why":"5 connect failures in a row, last: refused")", R"("retry_in_ms":30000)"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

TEST_F(ProcessLogTest, what_repeats_per_connection_is_said_once_a_minute) {
  const WorkerNotice notice{
      .kind = WorkerNotice::Kind::accept_paused, .listener = "front", .why = "Too many open files"};
  for (int i = 0; i < 500; ++i) process_log_->notice(notice, now_ + seconds(i / 10));
  process_log_->notice(notice, now_ + seconds(61));
  const std::string text = written();
  EXPECT_EQ(lines(text), 2U);
  EXPECT_NE(text.find(R"("times_before":499)"), std::string::npos) << text;
}

TEST_F(ProcessLogTest, different_listeners_and_reasons_are_said_apart) {
  for (const char* listener : {"a", "b"}) {
    for (const char* why : {"x", "y"}) {
      process_log_->notice({WorkerNotice::Kind::accept_paused, listener, why}, now_);
    }
  }
  EXPECT_EQ(lines(written()), 4U);
}

TEST_F(ProcessLogTest, lost_lines_are_told_when_there_are_more_of_them) {
  process_log_->lost("access", {.lines = 0});
  process_log_->lost("access", {.lines = 5});
  process_log_->lost("access", {.lines = 5});
  process_log_->lost("access", {.lines = 7});
  const std::string text = written();
  EXPECT_EQ(lines(text), 2U);
  EXPECT_NE(text.find(R"("lines":2,"why":"it could not keep up")"), std::string::npos) << text;
}

TEST_F(ProcessLogTest, lost_lines_are_told_with_the_error_that_lost_them) {
  process_log_->lost("access", {.lines = 3, .error = ENOSPC});
  const std::string text = written();
  EXPECT_NE(text.find("lost 3 lines: No space left on device\""), std::string::npos) << text;
}

TEST_F(ProcessLogTest, sessions_that_are_cut_are_told_with_the_reason_and_none_is_not) {
  process_log_->cutting(0, "drain_timeout is over");
  process_log_->cutting(1, "drain_timeout is over");
  process_log_->cutting(50, "told to stop a second time");
  const std::string text = written();
  EXPECT_EQ(lines(text), 2U);
  EXPECT_NE(text.find("is over: resetting the 1 session that is left"), std::string::npos) << text;
  EXPECT_NE(text.find("a second time: resetting the 50 sessions"), std::string::npos) << text;
}

}  // namespace
}  // namespace sluice
