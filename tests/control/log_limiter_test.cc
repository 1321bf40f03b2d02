#include "sluice/control/log_limiter.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using std::chrono::seconds;

class LogLimiterTest : public testing::Test {
 protected:
  // Whether it was said.
  bool say(const std::string& subject, const std::string& words, uint32_t lines_max = 1,
           std::string_view kind = "kind", uint64_t times = 1) {
    if (limiter.admit(kind, subject, lines_max, now)) return true;
    const auto make_line = [&] {
      ++made;
      return LogLine{.level = LogLevel::info, .event = kind, .message = words};
    };
    limiter.hold(kind, subject, now, make_line, times);
    return false;
  }

  LogLimiter limiter;
  TimePoint now{seconds(1000)};
  int made = 0;
};

TEST_F(LogLimiterTest, first_line_of_each_subject_is_said_at_once) {
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(say(fmt::format("subject {}", i), "x"));
  EXPECT_EQ(made, 0);
}

TEST_F(LogLimiterTest, as_many_lines_a_minute_are_said_as_the_subject_has) {
  int said = 0;
  for (int second = 0; second < 600; ++second, now += seconds(1)) {
    if (say("a", "x", 10)) ++said;
    if (second % 10 == 9) said += static_cast<int>(limiter.take_due(now).lines.size());
  }
  EXPECT_GE(said, 90);
  EXPECT_LE(said, 110);
}

TEST_F(LogLimiterTest, last_line_is_handed_out_when_the_minute_is_over_though_no_other_comes) {
  EXPECT_TRUE(say("a", "one"));
  now += seconds(5);
  EXPECT_FALSE(say("a", "two"));
  EXPECT_FALSE(say("a", "three"));
  now += seconds(54);
  EXPECT_TRUE(limiter.take_due(now).lines.empty()) << "59 seconds";
  now += seconds(1);
  const auto due = limiter.take_due(now);
  ASSERT_EQ(due.lines.size(), 1U);
  EXPECT_EQ(due.lines[0].line.message, "three");
  EXPECT_EQ(due.lines[0].before, 1U);
  EXPECT_EQ(due.lines[0].at, now - seconds(55));
  EXPECT_TRUE(limiter.take_due(now + seconds(300)).lines.empty()) << "told once";
}

TEST_F(LogLimiterTest, line_that_was_handed_out_is_the_first_of_the_next_minute) {
  say("a", "one");
  say("a", "two");
  now += seconds(60);
  ASSERT_EQ(limiter.take_due(now).lines.size(), 1U);
  EXPECT_FALSE(say("a", "three"));
  now += seconds(59);
  EXPECT_TRUE(limiter.take_due(now).lines.empty());
  now += seconds(1);
  EXPECT_EQ(limiter.take_due(now).lines.size(), 1U);
  now += seconds(60);
  EXPECT_TRUE(limiter.take_due(now).lines.empty());
  EXPECT_TRUE(say("a", "four"));
}

TEST_F(LogLimiterTest, no_line_overtakes_one_that_waits) {
  say("a", "one");
  say("a", "two");
  now += seconds(61);  // over, but nobody has looked
  EXPECT_FALSE(say("a", "three"));
  const auto due = limiter.take_due(now);
  ASSERT_EQ(due.lines.size(), 1U);
  EXPECT_EQ(due.lines[0].line.message, "three");
  EXPECT_EQ(due.lines[0].before, 1U);
}

TEST_F(LogLimiterTest, nothing_is_told_of_a_minute_in_which_nothing_was_held_back) {
  EXPECT_TRUE(say("a", "one"));
  now += seconds(60);
  const auto due = limiter.take_due(now);
  EXPECT_TRUE(due.lines.empty());
  EXPECT_TRUE(due.kinds.empty());
  EXPECT_TRUE(say("a", "two"));
}

TEST_F(LogLimiterTest, what_stands_for_many_counts_as_many) {
  say("a", "one");
  say("a", "two", 1, "kind", 7);
  say("a", "three", 1, "kind", 5);
  now += seconds(60);
  const auto due = limiter.take_due(now);
  ASSERT_EQ(due.lines.size(), 1U);
  EXPECT_EQ(due.lines[0].before, 7U) << "not counting those that the last one stands for";
}

TEST_F(LogLimiterTest, kind_as_a_whole_has_a_bound_and_says_how_many_were_too_many) {
  int said = 0;
  for (int i = 0; i < 10'000; ++i) said += say(fmt::format("subject {}", i), "x") ? 1 : 0;
  EXPECT_EQ(said, static_cast<int>(LogLimiter::kKindLinesMax));
  EXPECT_EQ(made, 0) << "lines that nobody will see are not made";
  EXPECT_TRUE(say("other", "x", 1, "other kind")) << "another kind is not drowned";
  now += seconds(10);
  const auto due = limiter.take_due(now);
  EXPECT_TRUE(due.lines.empty());
  ASSERT_EQ(due.kinds.size(), 1U);
  EXPECT_EQ(due.kinds[0].kind, "kind");
  EXPECT_EQ(due.kinds[0].lines, 10'000U - LogLimiter::kKindLinesMax);
  EXPECT_TRUE(say("late", "x")) << "ten seconds are over";
}

// Every subject has a last line: handing them all out would be the flood again.
TEST_F(LogLimiterTest, last_lines_of_many_subjects_are_within_the_bound_of_their_kind) {
  constexpr int kSubjects = 1000;
  for (int i = 0; i < kSubjects; ++i) {
    if (i % 100 == 0) now += seconds(10);
    EXPECT_TRUE(say(fmt::format("subject {}", i), "one"));
    EXPECT_FALSE(say(fmt::format("subject {}", i), "two"));
  }
  now += seconds(61);
  const auto due = limiter.take_due(now);
  EXPECT_EQ(due.lines.size(), size_t{LogLimiter::kKindLinesMax});
  ASSERT_EQ(due.kinds.size(), 1U);
  EXPECT_EQ(due.kinds[0].lines + due.lines.size(), size_t{kSubjects}) << "each is counted";
}

TEST_F(LogLimiterTest, everything_is_counted_in_the_end) {
  uint64_t said = 0;
  uint64_t told = 0;
  const auto add = [&](const LogLimiter::Due& due) {
    for (const auto& line : due.lines) told += 1 + line.before;
    for (const auto& kind : due.kinds) told += kind.lines;
  };
  constexpr uint64_t kLines = 100'000;
  for (uint64_t i = 0; i < kLines; ++i) {
    if (i % 400 == 0) now += seconds(1);
    if (i % 4000 == 0) add(limiter.take_due(now));
    said += say(fmt::format("subject {}", i * i % 701), "x", 3) ? 1U : 0U;
  }
  add(limiter.take_all());
  EXPECT_EQ(said + told, kLines);
}

}  // namespace
}  // namespace sluice
