#include "maelstrom/message_framer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {
namespace {

using Kind = Frame::Kind;

struct Cut {
  Kind kind;
  std::string text;
  uint64_t line;

  friend bool operator==(const Cut&, const Cut&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Cut& cut) {
    return out << static_cast<int>(cut.kind) << " of line " << cut.line << ": " << cut.text;
  }
};
using Cuts = std::vector<Cut>;

// Here an object is a message when it says so.
bool says_message(std::string_view object) { return object.find("message") != object.npos; }

Cuts cut(std::vector<std::string_view> chunks) {
  MessageFramer framer(says_message);
  Cuts cuts;
  const auto keep = [&cuts](const Frame& frame) {
    cuts.push_back({frame.kind, std::string(frame.text), frame.line});
  };
  for (std::string_view chunk : chunks) {
    while (const auto frame = framer.next(chunk)) keep(*frame);
  }
  while (const auto frame = framer.finish()) keep(*frame);
  return cuts;
}

TEST(MessageFramer, a_message_is_there_with_its_last_brace) {
  MessageFramer framer(says_message);
  std::string_view bytes = R"({"a":{"b":1}})";
  const auto frame = framer.next(bytes);
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->text, R"({"a":{"b":1}})");
  EXPECT_TRUE(bytes.empty());
}

TEST(MessageFramer, it_takes_no_more_than_the_message) {
  MessageFramer framer(says_message);
  std::string_view bytes = "{} {\n";
  ASSERT_TRUE(framer.next(bytes));
  EXPECT_EQ(bytes, " {\n");
}

TEST(MessageFramer, several_messages_on_a_line_and_white_space_between_them) {
  EXPECT_EQ(cut({"{}{\"a\":1} \t {}\r\n\n  {}\n"}), (Cuts{{Kind::message, "{}", 1},
                                                          {Kind::message, "{\"a\":1}", 1},
                                                          {Kind::message, "{}", 1},
                                                          {Kind::message, "{}", 3}}));
}

TEST(MessageFramer, a_message_may_go_over_lines) {
  const std::string text = "{\n  \"a\": {\n    \"b\": []\n  }\n}";
  EXPECT_EQ(cut({text, "\n{}"}), (Cuts{{Kind::message, text, 1}, {Kind::message, "{}", 6}}));
}

TEST(MessageFramer, braces_and_quotes_in_strings_do_not_count) {
  const std::string text = R"({"}{":"\"}\\","\\":"{{{"})";
  EXPECT_EQ(cut({text}), (Cuts{{Kind::message, text, 1}}));
}

TEST(MessageFramer, a_line_that_does_not_begin_with_a_brace_is_skipped) {
  EXPECT_EQ(cut({"no {\"message\":1}\n{}\n[{}]\n}"}),
            (Cuts{{Kind::not_json, "no {\"message\":1}", 1},
                  {Kind::message, "{}", 2},
                  {Kind::not_json, "[{}]", 3},
                  {Kind::not_json, "}", 4}}));
}

TEST(MessageFramer, what_follows_a_message_on_its_line_is_skipped_alone) {
  EXPECT_EQ(cut({"{}}\n{}\n"}),
            (Cuts{{Kind::message, "{}", 1}, {Kind::not_json, "}", 1}, {Kind::message, "{}", 2}}));
}

TEST(MessageFramer, a_string_ends_on_its_line_or_is_no_string) {
  EXPECT_EQ(cut({"{\"a\n{}\n"}), (Cuts{{Kind::not_json, "{\"a", 1}, {Kind::message, "{}", 2}}));
  EXPECT_EQ(cut({"{\"a\\\n{}\n"}), (Cuts{{Kind::not_json, "{\"a\\", 1}, {Kind::message, "{}", 2}}));
}

TEST(MessageFramer, a_line_that_alone_is_a_message_discards_unfinished_text) {
  const std::string message = R"({"message":{"}":1}})";
  for (const std::string_view unfinished :
       {"{", "{\"a\":", "{\"a\":[{\"b\":1},", "{\n\n{\"a\":{}\n"}) {
    const std::string before = std::string(unfinished) + "\n";
    const auto line = 1 + static_cast<uint64_t>(std::ranges::count(before, '\n'));
    const Cuts expected{{Kind::unfinished, before, 1}, {Kind::message, message, line}};
    EXPECT_EQ(cut({before, message, "\n"}), expected) << unfinished;
    EXPECT_EQ(cut({before, message}), expected) << unfinished << " at the end of input";
  }
}

TEST(MessageFramer, white_space_around_it_leaves_a_line_alone) {
  EXPECT_EQ(cut({"{\n \t{\"message\":1} \r\n{}"}),
            (Cuts{{Kind::unfinished, "{\n", 1},
                  {Kind::message, " \t{\"message\":1} \r", 2},
                  {Kind::message, "{}", 3}}));
}

TEST(MessageFramer, after_unfinished_text_was_discarded_all_is_as_before) {
  EXPECT_EQ(cut({"{\n{\"message\":1}\n{}\n{\n}\n"}), (Cuts{{Kind::unfinished, "{\n", 1},
                                                           {Kind::message, "{\"message\":1}", 2},
                                                           {Kind::message, "{}", 3},
                                                           {Kind::message, "{\n}", 4}}));
}

TEST(MessageFramer, an_inner_object_alone_on_its_line_discards_nothing) {
  for (const std::string text :
       {"{\"a\":\n{}\n}", "{\"a\":[\n{\"b\":1}\n]}", "{\"a\":[\n{},\n{}\n]}"}) {
    EXPECT_EQ(cut({text}), (Cuts{{Kind::message, text, 1}}));
  }
}

TEST(MessageFramer, a_message_that_is_not_alone_on_its_line_discards_nothing) {
  for (const std::string line : {"{\"message\":1},", ",{\"message\":1}", "{\"message\":1}{}"}) {
    const std::string text = "{\"a\":[\n" + line + "\n]}";
    EXPECT_EQ(cut({text}), (Cuts{{Kind::message, text, 1}}));
  }
}

TEST(MessageFramer, unfinished_text_at_the_end_is_told) {
  EXPECT_EQ(cut({"{}{\"a\":"}),
            (Cuts{{Kind::message, "{}", 1}, {Kind::unfinished, "{\"a\":\n", 1}}));
}

TEST(MessageFramer, nothing_comes_of_nothing) {
  EXPECT_EQ(cut({}), Cuts{});
  EXPECT_EQ(cut({" \n\r\n\t", "\n"}), Cuts{});
}

TEST(MessageFramer, a_message_of_the_longest_length_passes) {
  const std::string text = "{\"" + std::string(MessageFramer::kMessageBytesMax - 4, 'x') + "\"}";
  const Cuts cuts = cut({text, "{}"});
  ASSERT_EQ(cuts.size(), 2U);
  EXPECT_TRUE(cuts[0].text == text);
}

TEST(MessageFramer, a_longer_one_is_dropped_with_the_rest_of_its_line) {
  const std::string text = "{\"" + std::string(MessageFramer::kMessageBytesMax, 'x') + "\"}";
  const Cuts cuts = cut({text, "{}", text, "\n", "{}\n"});
  ASSERT_EQ(cuts.size(), 2U);
  EXPECT_EQ(cuts[0].kind, Kind::too_long);
  EXPECT_EQ(cuts[1], (Cut{Kind::message, "{}", 2}));
}

TEST(MessageFramer, of_a_skipped_line_only_the_beginning_is_kept) {
  const Cuts cuts = cut({std::string(1'000'000, 'x'), "\n"});
  ASSERT_EQ(cuts.size(), 1U);
  EXPECT_EQ(cuts[0].text.size(), MessageFramer::kSkippedBytesKept);
}

TEST(MessageFramer, where_the_bytes_are_split_makes_no_difference) {
  const std::string text =
      "{\"a\":\"\\\"}\\\\\"}{} garbage\n{\n \"b\": "
      "[\n{}\n]\n}\n{\"c\":\n{\"message\":{}}\r\n{\"s\n{\"d\":1";
  const Cuts whole = cut({text});
  ASSERT_EQ(whole.size(), 8U);
  const std::string_view bytes = text;
  for (size_t first = 0; first <= bytes.size(); ++first) {
    for (size_t second = first; second <= bytes.size(); ++second) {
      ASSERT_EQ(
          cut({bytes.substr(0, first), bytes.substr(first, second - first), bytes.substr(second)}),
          whole)
          << "split at " << first << " and " << second;
    }
  }
}

}  // namespace
}  // namespace sluice
