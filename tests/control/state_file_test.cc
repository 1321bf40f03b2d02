// The state file's text: what is written is read back, and nothing else is.
#include "sluice/control/state_file.h"

#include <gtest/gtest.h>

#include <regex>

namespace sluice {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Moment kThen{.monotonic = TimePoint(hours(1000)), .wall = WallTime(hours(500'000))};
// After the restart the monotonic clock has begun anew, and ten seconds have passed.
const Moment kNow{.monotonic = TimePoint(seconds(5)), .wall = kThen.wall + seconds(10)};

SavedBackend some_backend() {
  return {.name = "b1 \"\n",
          .address = "10.0.0.1:80",
          .configured_state = AdminState::ready,
          .admin_state = AdminState::draining,
          .configured_weight = 1,
          .weight = 1000,
          .is_unhealthy = true,
          .breaker = SavedBreaker{.reopens_at = kThen.monotonic + seconds(30), .failed_trials = 3},
          .ejected_by = Detector::early_close};
}

std::string some_text() {
  SavedBackend second = some_backend();
  second.name = "b2";
  second.breaker.reset();
  second.ejected_by = Detector::none;
  return render_state({{"web", {some_backend(), second}}, {"api", {}}}, kThen);
}

std::string complaint(const std::string& text) {
  const auto state = parse_state(text, kNow);
  return state ? "" : state.error().message;
}

// The good text with one part replaced.
std::string with(const std::string& part, const std::string& other) {
  std::string text = some_text();
  const size_t at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  return at == std::string::npos ? text : text.replace(at, part.size(), other);
}

TEST(StateFile, what_is_written_is_read_with_times_of_the_new_clock) {
  const auto state = parse_state(some_text(), kNow);
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state->written_at, kThen.wall);
  ASSERT_EQ(state->clusters.size(), 2U);
  EXPECT_EQ(state->clusters[0].name, "web");
  SavedBackend expected = some_backend();
  expected.breaker->reopens_at = kNow.monotonic + seconds(20);
  ASSERT_EQ(state->clusters[0].backends.size(), 2U);
  EXPECT_EQ(state->clusters[0].backends[0], expected);
  EXPECT_EQ(state->clusters[0].backends[1].breaker, std::nullopt);
  EXPECT_TRUE(state->clusters[1].backends.empty());
}

TEST(StateFile, text_from_before_ejections_were_kept_is_read) {
  const auto state = parse_state(with(R"(,"ejected_by":"early_close")", ""), kNow);
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_TRUE(state->clusters[0].backends[0].breaker);
  EXPECT_EQ(state->clusters[0].backends[0].ejected_by, Detector::none);
}

TEST(StateFile, empty_state_is_a_state) {
  const auto state = parse_state(render_state({}, kThen), kNow);
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->clusters.empty());
}

TEST(StateFile, absurd_times_stay_within_what_can_be_computed) {
  for (const std::string ms : {"0", "9000000000000"}) {
    const auto state =
        parse_state(std::regex_replace(some_text(), std::regex("\"reopens_at_ms\":[0-9]+"),
                                       "\"reopens_at_ms\":" + ms),
                    kNow);
    ASSERT_TRUE(state);
    const Duration distance = state->clusters[0].backends[0].breaker->reopens_at - kNow.monotonic;
    EXPECT_LE(std::chrono::abs(distance), hours(24 * 366));
  }
}

TEST(StateFile, every_shorter_text_is_damaged) {
  const std::string text = some_text();
  // The newline at the end may be missing.
  for (size_t length = 0; length + 1 < text.size(); ++length) {
    EXPECT_NE(complaint(text.substr(0, length)), "") << length;
  }
}

TEST(StateFile, complaints_say_what_and_where) {
  EXPECT_EQ(complaint("[]"), "the file is not an object");
  EXPECT_EQ(complaint("{}"), "the file has no 'sluice_state'");
  EXPECT_EQ(complaint(with("\"sluice_state\":1", "\"sluice_state\":2")),
            "it is of version 2, this program knows 1");
  EXPECT_EQ(complaint(with("\"weight\":1000", "\"weight\":1001")),
            "'weight' of backend 1 of cluster 1 is not a whole number up to 1000");
  EXPECT_EQ(complaint(with("\"weight\":1000", "\"weight\":-1")),
            "'weight' of backend 1 of cluster 1 is not a whole number up to 1000");
  EXPECT_EQ(complaint(with("\"weight\":1000", "\"weight\":1.5")),
            "'weight' of backend 1 of cluster 1 is not a whole number up to 1000");
  EXPECT_EQ(complaint(with("\"draining\"", "\"gone\"")),
            "'state' of backend 1 of cluster 1 is not an administrative state");
  EXPECT_EQ(complaint(with("\"unhealthy\":true", "\"unhealthy\":1")),
            "'unhealthy' of backend 1 of cluster 1 is not true or false");
  EXPECT_EQ(complaint(with("\"10.0.0.1:80\"", "\"\"")),
            "'address' of backend 1 of cluster 1 is not 1 to 4096 bytes long");
  EXPECT_EQ(complaint(with("\"failed_trials\":3", "\"failed_trials\":1e3")),
            "'failed_trials' of 'breaker' of a backend is not a whole number up to 1000000");
  for (const std::string other : {R"("none")", R"("consecutive_failures")", R"("gone")", "3"}) {
    EXPECT_EQ(complaint(with(R"("early_close")", other)),
              "'ejected_by' of 'breaker' of a backend is not a detector that ejects");
  }
  EXPECT_EQ(complaint(with("\"written_at_ms\":", "\"written_at_ms\":9")),
            "'written_at_ms' of the file is not a whole number up to 9000000000000");
  EXPECT_EQ(complaint(with("\"web\"", "7")), "'name' of cluster 1 is not a string");
}

TEST(StateFile, unknown_and_repeated_members_do_not_belong_there) {
  EXPECT_EQ(complaint(with("\"weight\":1000", "\"weight\":1000,\"x\":1")),
            "backend 1 of cluster 1 has members that do not belong there");
  EXPECT_EQ(complaint(with("\"weight\":1000", "\"weight\":1000,\"weight\":1000")),
            "backend 1 of cluster 1 has members that do not belong there");
  EXPECT_EQ(complaint(with("\"sluice_state\":1", "\"sluice_state\":1,\"y\":[]")),
            "the file has members that do not belong there");
}

TEST(StateFile, bytes_that_are_no_text_are_no_state) {
  EXPECT_NE(complaint(std::string(4096, '\0')), "") << "as a crashed file system leaves it";
  EXPECT_NE(complaint(with("b2", "b\xFF")), "");
  EXPECT_NE(complaint(some_text() + some_text()), "");
  EXPECT_NE(complaint(std::string(100'000, '[')), "");
}

}  // namespace
}  // namespace sluice
