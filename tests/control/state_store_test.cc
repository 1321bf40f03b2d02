// The state file from start to end: read, restored, written on change and at the end, in the face
// of files and directories that are not as they should be.
#include "sluice/control/state_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "pipe.h"
#include "sluice/control/atomic_file.h"
#include "temporary_directory.h"
#include "waiting.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

class StateStoreTest : public testing::Test {
 protected:
  StateStoreTest() {
    auto [reader, writer] = make_pipe(O_CLOEXEC | O_NONBLOCK);
    reader_ = std::move(reader);
    log_ = std::make_unique<Log>(std::move(writer), Log::Options{.format = LogFormat::json});
    process_log_ = std::make_unique<ProcessLog>(*log_);
    make_cluster();
  }
  ~StateStoreTest() override { store_.reset(); }

  // Another life of the process, as far as the store knows.
  void make_cluster(size_t backends = 3) {
    std::vector<BackendSettings> settings;
    for (size_t i = 0; i < backends; ++i) {
      BackendSettings backend;
      backend.address =
          Address::ipv4({10, 0, static_cast<uint8_t>(i >> 8U), static_cast<uint8_t>(i)}, 80);
      backend.name = backend.address.to_string();
      settings.push_back(backend);
    }
    ClusterSettings cluster_settings;
    cluster_settings.circuit_breaker.jitter = 0;
    cluster_ = std::make_shared<Cluster>(
        "web", [](const Transition&) {}, Random(1));
    cluster_->apply(cluster_settings, settings, Arrival::cold_start, loop_.now());
  }

  Result<void> open() {
    store_ = std::make_unique<StateStore>(
        loop_, mailbox_, *process_log_,
        StateStore::Options{
            .path = path_, .max_age = minutes(5), .wall_clock = [this] { return wall_; }});
    auto opened = store_->open();
    if (opened) store_->add(cluster_);
    return opened;
  }

  // Ends this life by a kill and begins the next.
  void restart_after_kill() {
    store_.reset();
    make_cluster();
    EXPECT_TRUE(open());
  }

  Backend& backend(size_t index) { return *cluster_->snapshot()->levels.front().backends[index]; }

  void trip(size_t index) {
    Random random(1);
    const auto snapshot = cluster_->snapshot();
    for (int i = 0; i < 5; ++i) {
      const auto permit =
          cluster_->admit(*snapshot, snapshot->levels.front(), backend(index), loop_.now());
      ASSERT_TRUE(permit);
      backend(index).remove_connection();
      cluster_->record_connect(*snapshot, backend(index), *permit, ConnectOutcome::refused,
                               loop_.now(), random);
    }
  }
  bool is_open(size_t index) {
    return backend(index).breaker().state(loop_.now()) == BreakerState::open;
  }

  bool is_written_with(const std::string& part) {
    return run_until(loop_, [&] { return text_of(path_).find(part) != std::string::npos; });
  }

  // Whether it is there by now.
  bool has_logged(std::string_view part) {
    log_text_ += read_all(reader_);
    return log_text_.find(part) != std::string::npos;
  }
  // Everything logged; ends the log.
  std::string logged() {
    store_.reset();
    process_log_.reset();
    log_.reset();
    has_logged("");
    return log_text_;
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_.file("state.json");
  WallTime wall_ = WallTime(std::chrono::hours(500'000));
  UniqueFd reader_;
  std::string log_text_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<ProcessLog> process_log_;
  Loop loop_;
  Mailbox mailbox_{loop_};
  std::shared_ptr<Cluster> cluster_;
  std::unique_ptr<StateStore> store_;
};

TEST_F(StateStoreTest, change_is_written_and_restored_after_a_kill) {
  ASSERT_TRUE(open());
  trip(1);
  store_->touch();
  ASSERT_TRUE(is_written_with("reopens_at_ms"));
  restart_after_kill();
  EXPECT_FALSE(is_open(0));
  EXPECT_TRUE(is_open(1));
}

TEST_F(StateStoreTest, untold_change_is_lost_to_a_kill_and_kept_at_the_end) {
  ASSERT_TRUE(open());
  trip(1);
  restart_after_kill();
  EXPECT_FALSE(is_open(1)) << "negative control: nobody wrote";
  trip(1);
  store_->close();
  restart_after_kill();
  EXPECT_TRUE(is_open(1));
}

TEST_F(StateStoreTest, two_changes_are_written_a_second_apart) {
  ASSERT_TRUE(open());
  trip(0);
  const TimePoint begun = loop_.now();
  store_->touch();
  ASSERT_TRUE(is_written_with("10.0.0.0:80"));
  trip(1);
  store_->touch();
  ASSERT_TRUE(is_written_with("10.0.0.1:80"));
  EXPECT_GE(loop_.now() - begun, seconds(1));
}

TEST_F(StateStoreTest, file_is_for_this_user_only_and_nothing_is_left_beside_it) {
  write_text(path_ + ".tmp.abcdef", "of a process that was killed");
  ASSERT_TRUE(open());
  store_->close();
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(path_).parent_path())) {
    ++files;
  }
  EXPECT_EQ(files, 1U);
}

TEST_F(StateStoreTest, state_older_than_the_limit_is_ignored_and_said_so) {
  ASSERT_TRUE(open());
  trip(0);
  store_->close();
  wall_ += minutes(5) + seconds(1);
  restart_after_kill();
  EXPECT_FALSE(is_open(0));
  EXPECT_NE(logged().find("is ignored: it was written 301.0s ago, state_max_age is 300s"),
            std::string::npos);
}

TEST_F(StateStoreTest, state_at_the_limit_counts) {
  ASSERT_TRUE(open());
  cluster_->set_weight(backend(0), 9, loop_.now());
  store_->close();
  wall_ += minutes(5);
  restart_after_kill();
  EXPECT_EQ(backend(0).weight(), 9U);
}

TEST_F(StateStoreTest, state_from_far_in_the_future_is_ignored) {
  ASSERT_TRUE(open());
  trip(0);
  store_->close();
  wall_ -= minutes(6);
  restart_after_kill();
  EXPECT_FALSE(is_open(0));
  EXPECT_NE(logged().find("360.0s from now"), std::string::npos);
}

TEST_F(StateStoreTest, damaged_file_is_reported_set_aside_and_ignored) {
  write_text(path_, "{\"sluice_state\":1,\"written_at_ms\":");
  ASSERT_TRUE(open());
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_EQ(text_of(path_ + ".damaged"), "{\"sluice_state\":1,\"written_at_ms\":");
  trip(0);
  store_->close();
  restart_after_kill();
  EXPECT_TRUE(is_open(0)) << "the next one is good";
  const std::string log = logged();
  EXPECT_NE(log.find("the file is damaged: it is not JSON"), std::string::npos) << log;
  EXPECT_NE(log.find("\"level\":\"warning\""), std::string::npos);
}

TEST_F(StateStoreTest, file_that_cannot_be_set_aside_is_ignored_too) {
  write_text(path_, "x");
  std::filesystem::create_directory(path_ + ".damaged");
  ASSERT_TRUE(open());
  EXPECT_NE(logged().find("cannot set it aside: Is a directory"), std::string::npos);
}

TEST_F(StateStoreTest, directory_that_is_not_there_is_an_error_that_says_what_to_do) {
  path_ = directory_.file("missing/state.json");
  const auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message,
            "state_file: cannot create a file beside " + path_ +
                ": No such file or directory; let this user write in that directory, or name "
                "another file");
}

TEST_F(StateStoreTest, directory_in_the_place_of_the_file_is_an_error) {
  std::filesystem::create_directory(path_);
  EXPECT_EQ(open().error().message, "state_file: " + path_ + " is not a file; name another one");
}

TEST_F(StateStoreTest, file_below_a_file_is_an_error) {
  write_text(directory_.file("file"), "");
  path_ = directory_.file("file/state.json");
  const auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("Not a directory"), std::string::npos);
}

TEST_F(StateStoreTest, write_errors_are_told_once_and_writing_goes_on_when_it_can) {
  const std::string away = directory_.file("away");
  const std::string below = directory_.file("below");
  std::filesystem::create_directory(below);
  path_ = below + "/state.json";
  ASSERT_TRUE(open());
  std::filesystem::rename(below, away);
  trip(0);
  store_->touch();
  ASSERT_TRUE(run_until(loop_, [&] { return has_logged("cannot create"); }));
  // The next write is due a second later and is refused too.
  store_->touch();
  const TimePoint later = loop_.now() + milliseconds(1500);
  ASSERT_TRUE(run_until(loop_, [&] { return loop_.now() >= later; }));
  std::filesystem::rename(away, below);
  store_->touch();
  ASSERT_TRUE(is_written_with("reopens_at_ms"));
  ASSERT_TRUE(run_until(loop_, [&] { return has_logged("can be written again"); }));
  EXPECT_EQ(log_text_.find("cannot create"), log_text_.rfind("cannot create")) << log_text_;
}

TEST_F(StateStoreTest, write_that_failed_is_tried_again_by_itself) {
  const std::string away = directory_.file("away");
  const std::string below = directory_.file("below");
  std::filesystem::create_directory(below);
  path_ = below + "/state.json";
  ASSERT_TRUE(open());
  std::filesystem::rename(below, away);
  trip(0);
  store_->touch();
  ASSERT_TRUE(run_until(loop_, [&] { return has_logged("cannot create"); }));
  std::filesystem::rename(away, below);
  EXPECT_TRUE(run_until(
      loop_, [&] { return text_of(path_).find("reopens_at_ms") != std::string::npos; },
      seconds(15)));
}

TEST_F(StateStoreTest, last_write_that_fails_is_told) {
  const std::string below = directory_.file("below");
  std::filesystem::create_directory(below);
  path_ = below + "/state.json";
  ASSERT_TRUE(open());
  std::filesystem::remove_all(below);
  store_->close();
  EXPECT_NE(logged().find("nothing is kept of this run's end"), std::string::npos);
}

TEST_F(StateStoreTest, backend_that_comes_with_a_later_answer_gets_its_state_too) {
  ASSERT_TRUE(open());
  trip(2);
  store_->close();
  store_.reset();
  make_cluster(1);
  ASSERT_TRUE(open());
  const auto before = cluster_;
  make_cluster(3);
  store_->restore(*cluster_);
  EXPECT_TRUE(is_open(2));
}

TEST_F(StateStoreTest, state_of_a_backend_that_has_not_come_yet_outlives_another_restart) {
  ASSERT_TRUE(open());
  cluster_->set_admin_state(backend(2), AdminState::draining, loop_.now());
  store_->touch();
  ASSERT_TRUE(is_written_with("draining"));
  // Its host name has no answer in the next life, which writes too and ends.
  store_.reset();
  make_cluster(2);
  ASSERT_TRUE(open());
  cluster_->set_admin_state(backend(0), AdminState::maintenance, loop_.now());
  store_->touch();
  ASSERT_TRUE(is_written_with("maintenance"));
  EXPECT_NE(text_of(path_).find("draining"), std::string::npos);
  restart_after_kill();
  EXPECT_EQ(backend(2).admin_state(), AdminState::draining);
  EXPECT_EQ(backend(0).admin_state(), AdminState::maintenance);
}

TEST_F(StateStoreTest, ten_thousand_backends_are_collected_quickly) {
  make_cluster(10'000);
  for (size_t i = 0; i < 10'000; ++i) cluster_->set_weight(backend(i), 9, loop_.now());
  ASSERT_TRUE(open());
  // The control loop's part: only the thread of its own renders and writes.
  const auto cpu_time = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  const auto begun = cpu_time();
  store_->touch();
  run_once(loop_);
  run_once(loop_);
  const auto took = cpu_time() - begun;
  std::printf("%ld us\n", static_cast<long>(took / std::chrono::microseconds(1)));
  EXPECT_LT(took, milliseconds(500));
  ASSERT_TRUE(is_written_with("\"weight\":9"));
}

}  // namespace
}  // namespace sluice
