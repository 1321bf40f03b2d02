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

TEST_F(ProcessLogTest, panic_says_what_it_means_when_it_begins_and_when_it_ends) {
  Transition transition{.kind = Transition::Kind::panic,
                        .cluster = "web",
                        .backend = "priority 0",
                        .from = "normal",
                        .to = "panic",
                        .why = "1 of 4 ready backends are healthy or unknown",
                        .at = now_,
                        .retry_at = std::nullopt};
  process_log_->transition(transition, now_);
  std::swap(transition.from, transition.to);
  process_log_->transition(transition, now_);
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
  process_log_->refused_ejections(*cluster_, now_);  // nothing yet
  for (int second = 0; second <= 60; ++second) {
    close_early(1);
    process_log_->refused_ejections(*cluster_, now_ + seconds(second));
  }
  for (int second = 61; second < 600; ++second) {
    process_log_->refused_ejections(*cluster_, now_ + seconds(second));
  }
  const std::string text = written();
  EXPECT_EQ(lines(text), 2U);
  for (const char* part :
       {R"("event":"ejection_refused","cluster":"web","backend":"10.0.0.2:80")",
        R"("detector":"early_close","proposal":"1 connection ended before its first byte")",
        R"("why":"max_ejected lets 1 of 2 backends be out, and 1 is already","times":1})",
        "the first of 60 refusals", R"("times":60})"}) {
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
