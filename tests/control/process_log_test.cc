#include "sluice/control/process_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "pipe.h"

namespace sluice {
namespace {

using std::chrono::seconds;

class ProcessLogTest : public testing::Test {
 protected:
  ProcessLogTest() {
    auto [reader, writer] = make_pipe();
    reader_ = std::move(reader);
    log_ = std::make_unique<Log>(std::move(writer), Log::Options{.format = LogFormat::json});
    process_log_ = std::make_unique<ProcessLog>(*log_, [this] { return now_; });
  }

  // Everything written; ends the log.
  std::string written() {
    process_log_.reset();
    log_.reset();
    return read_all(reader_);
  }

  static size_t lines(const std::string& text) {
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  UniqueFd reader_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<ProcessLog> process_log_;
  TimePoint now_{seconds(1000)};
};

TEST_F(ProcessLogTest, a_transition_is_one_line_with_who_from_to_why_and_when_again) {
  process_log_->transition({.kind = Transition::Kind::breaker,
                            .cluster = "web",
                            .backend = "10.0.0.1:80",
                            .from = "closed",
                            .to = "open",
                            .why = "5 connect failures in a row, last: refused",
                            .at = now_,
                            .retry_at = now_ + seconds(30)});
  const std::string text = written();
  EXPECT_EQ(lines(text), 1U);
  for (const char* part :
       {R"("level":"warning")", R"("event":"breaker")", R"("cluster":"web")",
        R"("backend":"10.0.0.1:80")", R"("from":"closed")", R"("to":"open")",
        R"("why":"5 connect failures in a row, last: refused")", R"("retry_in_ms":30000)"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

TEST_F(ProcessLogTest, panic_says_what_it_means_when_it_begins_and_when_it_ends) {
  Transition transition{.kind = Transition::Kind::panic,
                        .cluster = "web",
                        .backend = "priority 0",
                        .from = "normal",
                        .to = "panic",
                        .why = "1 of 4 ready backends are healthy or unknown",
                        .at = now_,
                        .retry_at = std::nullopt};
  process_log_->transition(transition);
  std::swap(transition.from, transition.to);
  process_log_->transition(transition);
  const std::string text = written();
  EXPECT_EQ(lines(text), 2U);
  for (const char* part :
       {R"("level":"warning","message":"web is in panic at priority 0: 1 of 4 ready)",
        "clients go to unhealthy backends too", R"("event":"panic")", R"("to":"panic")",
        R"("level":"info","message":"web is no longer in panic at priority 0: 1 of 4 ready)"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

// A cluster of two whose backends are ejected, if at all, by the first early close.
class RefusedEjectionsTest : public ProcessLogTest {
 protected:
  RefusedEjectionsTest() {
    ClusterSettings settings;
    settings.has_probes = false;
    settings.outlier_detection.is_enabled = true;
    settings.outlier_detection.early_close = {.is_enabled = true, .threshold = 1};
    std::vector<BackendSettings> backends;
    for (const uint8_t number : {uint8_t{1}, uint8_t{2}}) {
      const Address address = Address::ipv4({10, 0, 0, number}, 80);
      backends.push_back({.name = address.to_string(),
                          .address = address,
                          .weight = 1,
                          .priority = 0,
                          .admin_state = AdminState::ready,
                          .health_check_port = std::nullopt});
    }
    snapshot_ = cluster_->apply(settings, backends, Arrival::cold_start, now_);
  }

  void close_early(size_t backend) {
    cluster_->record_early_close(*snapshot_, *snapshot_->levels.at(0).backends.at(backend), {},
                                 now_, random_);
  }

  Random random_{1};
  std::shared_ptr<Cluster> cluster_ = std::make_shared<Cluster>(
      "web", [](const Transition&) {}, Random(2));
  std::shared_ptr<const ClusterSnapshot> snapshot_;
};

TEST_F(RefusedEjectionsTest, the_first_is_said_at_once_and_the_others_once_a_minute) {
  close_early(0);
  process_log_->refused_ejections(*cluster_);  // nothing yet
  for (int second = 0; second < 600; ++second, now_ += seconds(1)) {
    if (second <= 40) {
      close_early(1);
      close_early(1);
    }
    process_log_->refused_ejections(*cluster_);
    if (second % 10 == 0) process_log_->tell_held_back();
  }
  const std::string text = written();
  EXPECT_EQ(lines(text), 2U) << text;
  for (const char* part :
       {R"("event":"ejection_refused","cluster":"web","backend":"10.0.0.2:80")",
        R"("detector":"early_close","proposal":"1 connection ended before its first byte")",
        R"("why":"max_ejected lets 1 of 2 backends be out, and 1 is already","times":2})",
        "; the first of 2 refusals (20.0s ago; 78 more before that were held back)",
        R"("times":2,"held_back":78,"ago_ms":20000})"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
}

TEST_F(ProcessLogTest, what_repeats_per_connection_is_said_once_a_minute) {
  const WorkerNotice notice{.kind = WorkerNotice::Kind::accept_paused,
                            .listener = "front",
                            .why = "Too many open files",
                            .times = 10};
  for (int second = 0; second < 50; ++second, now_ += seconds(1)) {
    process_log_->notice(notice);
    process_log_->tell_held_back();
  }
  now_ += seconds(10);
  process_log_->tell_held_back();
  process_log_->tell_held_back();
  const std::string text = written();
  EXPECT_EQ(lines(text), 2U) << text;
  EXPECT_NE(text.find("(11.0s ago; 480 more before that were held back)"), std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("times":10,"held_back":480,"ago_ms":11000})"), std::string::npos) << text;
}

TEST_F(ProcessLogTest, flapping_backend_is_seen_flapping_and_its_last_word_comes_in_the_end) {
  for (int i = 0; i < 100; ++i) {
    const bool is_open = i % 2 == 0;
    process_log_->transition({.kind = Transition::Kind::breaker,
                              .cluster = "web",
                              .backend = "a",
                              .from = is_open ? "half_open" : "open",
                              .to = is_open ? "open" : "half_open",
                              .why = fmt::format("change {}", i),
                              .at = now_,
                              .retry_at = std::nullopt});
    process_log_->transition({.kind = Transition::Kind::health,
                              .cluster = "web",
                              .backend = fmt::format("other {}", i),
                              .from = "healthy",
                              .to = "unhealthy",
                              .why = "told",
                              .at = now_,
                              .retry_at = std::nullopt});
  }
  now_ += seconds(60);
  process_log_->tell_held_back();
  const std::string text = written();
  EXPECT_EQ(lines(text), 10U + 100U + 1U) << "ten, all the others, and the last one of the first";
  EXPECT_NE(text.find("change 9"), std::string::npos);
  EXPECT_EQ(text.find("change 10\""), std::string::npos);
  EXPECT_NE(text.find(R"("why":"change 99","held_back":89,"ago_ms":60000})"), std::string::npos)
      << text;
}

TEST_F(ProcessLogTest, ten_thousand_backends_that_open_at_once_are_told_of_in_few_lines) {
  for (int i = 0; i < 10'000; ++i) {
    process_log_->transition({.kind = Transition::Kind::breaker,
                              .cluster = "web",
                              .backend = fmt::format("b{}", i),
                              .from = "closed",
                              .to = "open",
                              .why = "refused",
                              .at = now_,
                              .retry_at = now_ + seconds(30)});
  }
  process_log_->notice({WorkerNotice::Kind::accept_paused, "front", "Too many open files"});
  now_ += seconds(10);
  process_log_->tell_held_back();
  const std::string text = written();
  EXPECT_EQ(lines(text), size_t{LogLimiter::kKindLinesMax} + 2);
  EXPECT_NE(text.find("listener front pauses"), std::string::npos) << "of another kind";
  EXPECT_NE(
      text.find(R"("message":"9800 more lines of the kind breaker were held back, there were )"
                R"(too many","event":"held_back","of":"breaker","lines":9800})"),
      std::string::npos)
      << text.substr(text.size() - 1000);
}

TEST_F(ProcessLogTest, what_is_held_back_at_the_end_is_told_then) {
  for (int i = 0; i < 3; ++i) {
    process_log_->condition(LogLevel::warning, "resolve", "web a", fmt::format("attempt {}", i));
  }
  process_log_->tell_all_held_back();
  process_log_->tell_all_held_back();
  const std::string text = written();
  EXPECT_EQ(lines(text), 2U) << text;
  EXPECT_NE(text.find("attempt 2 (0.0s ago; 1 more before"), std::string::npos) << text;
}

TEST_F(ProcessLogTest, same_words_come_ten_times_a_minute_and_other_words_at_once) {
  for (int i = 0; i < 50; ++i) process_log_->warning("reload", "this version cannot reload");
  process_log_->error("reload", "another one");
  EXPECT_EQ(lines(written()), 11U);
}

TEST_F(ProcessLogTest, different_listeners_and_reasons_are_said_apart) {
  for (const char* listener : {"a", "b"}) {
    for (const char* why : {"x", "y"}) {
      process_log_->notice({WorkerNotice::Kind::accept_paused, listener, why});
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
