// Texts made to hurt: each is answered with an error, within a second and within bounded memory.
// The children's figures are the kernel's (rusage), not ours.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <random>

#include "support.h"

namespace sluice::test {
namespace {

// A sanitizer's own memory and slowness are not what is bounded here.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr long kSlowness = 10;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr long kSlowness = 10;
#else
constexpr long kSlowness = 1;
#endif
#else
constexpr long kSlowness = 1;
#endif

// Of processor time, on a slow machine; what is not linear in these sizes takes minutes.
constexpr long kMillisecondsMax = 3000 * kSlowness;
constexpr long kMebibytesMax = 128 * kSlowness;  // more than before reading

struct Cost {
  int status;
  long milliseconds;
  long mebibytes;
};

// Reads and renders `text` in a child: what it cost, and whether it was refused (status 0).
Cost cost_of(const std::string& text) {
  const pid_t child = fork();
  if (child == 0) {
    const ReadResult result = read(text);
    const std::string report = render_problems("file", text, result.problems);
    const bool is_as_it_should = !result.config && !result.problems.empty() && !report.empty();
    _exit(is_as_it_should ? 0 : 1);
  }
  Cost cost{};
  rusage usage{};
  EXPECT_EQ(wait4(child, &cost.status, 0, &usage), child);
  const auto ms = [](const timeval& time) { return time.tv_sec * 1000 + time.tv_usec / 1000; };
  cost.milliseconds = ms(usage.ru_utime) + ms(usage.ru_stime);
  cost.mebibytes = usage.ru_maxrss / 1024;
  return cost;
}

std::string repeated(std::string_view part, size_t bytes) {
  std::string text;
  while (text.size() + part.size() <= bytes) text += part;
  return text;
}

// A text is made of `part` over and over; made when it is needed, so that all of them together do
// not count.
struct Hostile {
  std::string_view begin;
  std::string_view part;
  std::string_view end;
  size_t bytes;

  std::string name() const { return fmt::format("{}{}... {} bytes", begin, part, bytes); }
  std::string text() const { return std::string(begin) + repeated(part, bytes) + std::string(end); }
};

std::vector<Hostile> hostile_texts() {
  std::vector<Hostile> texts;
  const size_t full = kConfigBytesMax - 64;
  // As long as a text may be, and as long as one may be with that many flow marks.
  for (const size_t bytes : {full, size_t{240'000}}) {
    const auto add = [&](std::string_view begin, std::string_view part, std::string_view end = "") {
      texts.push_back({begin, part, end, bytes});
    };
    for (const std::string_view part :
         {"[",      "{a: ",  "- ",         "? ",  "[[],", "{},",   "&a ",
          "!a ",    "*",     "!",          "%",   "\"",   "'",     "`",
          "---\n",  "? a\n", "%TAG ! a\n", "#\n", "\n",   "- a\n", "- - - - - - - - a\n",
          "a: b: ", "-",     "a,",         "\\"}) {
      add("", part);
    }
    add("a: [", "1,");
    add("a: ", "x");
    add("a: \"", "x");
    add("a: \"", "x", "\"");
    add("a: \"", "\\n", "\"");
    add("a: \"", "x\n", "\"");
    add("a: '", "''", "'");
    add("a: ", "x\n ");
    add("a: |\n", " x\n");
    add("a: >\n", " x\n\n");
    add("a: ", ":");
    add("a: ", "]");
    add("[", "#\n");
    add("[", "x\n");
    add("a: ", " ", "b");
    add("a:\n", "                                                  \n");
    add("workers: \"", "$$", "\"");
    add("workers: \"", "${A:-}", "\"");
    add("log: {level: \"", "ä", "\"}");
    add("clusters: [", "a: b, ", "]");
    add("clusters:\n", "- a\n");
    add("clusters:\n- backends:\n", "  - 1\n");
    add("listeners:\n- address:\n", "  - 1\n");
  }
  return texts;
}

TEST(Hostile, costs_little) {
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  for (const Hostile& hostile : hostile_texts()) {
    const Cost cost = cost_of(hostile.text());
    EXPECT_EQ(cost.status, 0) << hostile.name();
    EXPECT_LT(cost.milliseconds, kMillisecondsMax) << hostile.name();
    EXPECT_LT(cost.mebibytes - before.ru_maxrss / 1024, kMebibytesMax) << hostile.name();
  }
}

TEST(Hostile, many_different_unknown_keys_cost_little) {
  std::string text;
  for (size_t i = 0; text.size() + 20 < kConfigBytesMax; ++i) text += fmt::format("k{}: 1\n", i);
  const Cost cost = cost_of(text);
  EXPECT_EQ(cost.status, 0);
  EXPECT_LT(cost.milliseconds, kMillisecondsMax);
}

TEST(Hostile, a_hundred_problems_on_one_long_line_cost_little) {
  std::string text = "{";
  for (size_t i = 0; i < 90'000; ++i) text += fmt::format("\"key{}\":1,", i);
  const Cost cost = cost_of(text + "\"x\":1}");
  EXPECT_EQ(cost.status, 0);
  EXPECT_LT(cost.milliseconds, kMillisecondsMax);
}

TEST(Hostile, nesting_has_a_bound) {
  EXPECT_EQ(problems_of("a: " + repeated("[", 100) + repeated("]", 100)),
            Lines{"1:35+1 error: nested more than 32 levels deep"});
  std::string block;
  for (size_t i = 0; i < 100; ++i) block += std::string(i, ' ') + "a:\n";
  EXPECT_EQ(problems_of(block), Lines{"33:33+1 error: nested more than 32 levels deep"});
}

TEST(Hostile, alias_bomb_is_refused) {
  std::string text = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += fmt::format("b{}: &a{} [{}*a{}]\n", i, i, repeated(fmt::format("*a{}, ", i - 1), 60),
                        i - 1);
  }
  const Lines problems = problems_of(text);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_TRUE(
      problems[0].ends_with("error: more than 300000 keys and values, counting what aliases "
                            "repeat"))
      << problems[0];
  EXPECT_EQ(cost_of(text).status, 0);
}

TEST(Hostile, too_long_a_text_is_refused_unread) {
  const std::string text(100U << 20U, 'a');
  EXPECT_EQ(problems_of(text),
            Lines{"error: the file has 104857600 bytes; a configuration has at most 2097152"});
}

TEST(Hostile, random_bytes_are_refused) {
  std::mt19937 random(20260131);
  for (int i = 0; i < 100; ++i) {
    std::string text;
    for (int j = 0; j < 10'000; ++j) text += static_cast<char>(random());
    EXPECT_FALSE(read(text).config);
  }
}

TEST(Hostile, negative_control_a_large_honest_file_is_read) {
  std::string text =
      "listeners: [{name: web, address: 0.0.0.0:80, cluster: web}]\nclusters:\n"
      "- name: web\n  backends:\n";
  for (int i = 0; i < 20'000; ++i) {
    text += fmt::format("  - {{address: 10.0.{}.{}:80, name: b{}, weight: {}}}\n", i / 256, i % 256,
                        i, i % 100 + 1);
  }
  EXPECT_EQ(config_of(text).clusters[0].backends.size(), 20'000U);
  EXPECT_NE(cost_of(text).status, 0);
}

}  // namespace
}  // namespace sluice::test
