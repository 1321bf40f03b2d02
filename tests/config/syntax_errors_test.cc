// Wrong YAML: the first error, where it is, and what to write instead.
#include <gtest/gtest.h>

#include "support.h"

namespace sluice::test {
namespace {

TEST(SyntaxErrors, star_is_an_alias) {
  const std::string message =
      "error: '*' begins an alias in YAML; for every address of this machine "
      "write 0.0.0.0:80 or \"[::]:80\"";
  EXPECT_EQ(problems_of("listeners:\n  - name: a\n    address: *:80\n"),
            Lines{"3:14+4 " + message});
  EXPECT_EQ(problems_of("listeners: [{name: a, address: *:80}]\n"), Lines{"1:32+4 " + message});
  EXPECT_EQ(problems_of("listeners: [{name: a, address: [*:80, 10.0.0.1:80]}]\n"),
            Lines{"1:33+4 " + message});
}

TEST(SyntaxErrors, ipv6_address_needs_quotes) {
  const std::string message = "error: an IPv6 address needs quotes: \"[::1]:80\"";
  EXPECT_EQ(problems_of("listeners:\n  - name: a\n    address: [::1]:80\n    cluster: a\n"),
            Lines{"3:14+8 " + message});
  EXPECT_EQ(problems_of("clusters: [{name: a, backends: [[::1]:80, 10.0.0.1:80]}]\n"),
            Lines{"1:33+8 " + message});
  EXPECT_EQ(problems_of("clusters:\n- backends:\n  - \"[::2]:80\"\n  - [::1]:80\n"),
            Lines{"4:5+8 " + message});
}

TEST(SyntaxErrors, variable_in_braces_needs_quotes) {
  EXPECT_EQ(problems_of("log: {file: ${FILE}, level: info}\n"),
            Lines{"1:13+7 error: inside {} and [] a variable needs quotes: \"${FILE}\""});
}

TEST(SyntaxErrors, second_document_is_refused) {
  EXPECT_EQ(problems_of("workers: 1\n---\nworkers: 2\n"),
            Lines{"2:1+3 error: a second document begins here; a file holds one"});
  EXPECT_EQ(problems_of("---\n" + file_with("workers: 2") + "...\n"), Lines{});
}

TEST(SyntaxErrors, tabs_do_not_indent) {
  EXPECT_EQ(problems_of("log:\n\tlevel: info\n"),
            Lines{"2:1+1 error: a tab cannot indent: use spaces"});
  EXPECT_EQ(problems_of("log:\n  level: info\n\tformat: json\n"),
            Lines{"3:1+1 error: a tab cannot indent: use spaces"});
}

TEST(SyntaxErrors, what_is_never_closed_is_shown_where_it_opens) {
  EXPECT_EQ(problems_of("workers: 1\nlog: {level: info\n"),
            Lines{"2:6+1 error: this '{' is never closed"});
  EXPECT_EQ(problems_of("clusters: [\n"), Lines{"1:11+1 error: this '[' is never closed"});
  EXPECT_EQ(problems_of("[\nx\n"), Lines{"1:1+1 error: this '[' is never closed"});
  EXPECT_EQ(problems_of("workers: 1\nlog: {file: \"abc, level: info}\n"),
            Lines{"2:13+1 error: the text in quotes that begins here does not end"});
  EXPECT_EQ(problems_of("log:\n  file: 'abc\n  level: info\n"),
            Lines{"2:9+1 error: the text in quotes that begins here does not end"});
}

TEST(SyntaxErrors, mismatched_brackets_name_their_partner) {
  EXPECT_EQ(problems_of("{\n\"clusters\": [1,\n\"b\": 3\n}\n"),
            Lines{"4:1+1 error: this '}' does not close the '[' on line 2"});
  EXPECT_EQ(problems_of("log: {level: info,\n format: text\nworkers: 1\n"),
            Lines{"3:8+1 error: a ',' is missing here, or the '{' on line 1 is not closed before"});
  EXPECT_EQ(problems_of("workers: 1\n]\n"), Lines{"2:1+1 error: this bracket closes nothing"});
}

TEST(SyntaxErrors, wrong_indentation) {
  EXPECT_EQ(
      problems_of("listeners:\n - b\n clusters: d\n"),
      Lines{"3:2+8 error: this does not belong to the settings above it: check the indentation"});
  EXPECT_EQ(problems_of("workers: 1\n  log: a\n").size(), 1U);
}

TEST(SyntaxErrors, colon_inside_a_text) {
  EXPECT_EQ(
      problems_of("log: a: b\n"),
      Lines{"1:7+1 error: a ':' cannot stand here; a text that holds ': ' needs quotes, and what "
            "belongs to a key stands further right"});
}

TEST(SyntaxErrors, characters_no_text_begins_with) {
  for (const std::string_view text : {"@a", "`a", "%a"}) {
    EXPECT_EQ(problems_of(fmt::format("log: {}\n", text)),
              Lines{"1:6+2 error: a text cannot begin with this character: put it in quotes"});
  }
}

TEST(SyntaxErrors, escapes_and_surrogates) {
  EXPECT_EQ(problems_of("log: \"\\q\"\n"),
            Lines{"1:9+1 error: no such escape in double quotes; a backslash itself is \\\\"});
  EXPECT_EQ(problems_of(R"({"log": "\ud83d\ude00"})").size(), 1U);
}

TEST(SyntaxErrors, tags_and_unknown_anchors) {
  EXPECT_EQ(problems_of("workers: !!int 5\n"),
            Lines{"1:10+7 error: YAML tags have no use here: write the value alone"});
  EXPECT_EQ(
      problems_of("workers: *five\n"),
      Lines{"1:10+5 error: no anchor of that name; a text that begins with '*' needs quotes"});
  EXPECT_EQ(problems_of("log: &log {level: *log}\n"),
            Lines{"1:19+4 error: an alias cannot stand inside what it names"});
}

TEST(SyntaxErrors, merge_keys_are_not_yaml_1_2) {
  EXPECT_EQ(problems_of(file_with("log: {<<: 1}")),
            Lines{"2:7+2 error: unknown setting '<<' in log; merge keys are not part of YAML 1.2"});
}

TEST(SyntaxErrors, keys_are_plain_texts) {
  EXPECT_EQ(problems_of("? [a]\n: b\n"), Lines{"1:3+1 error: a list or map cannot be a key"});
  EXPECT_EQ(problems_of(": b\n"), Lines{"1:1+1 error: a key is missing before the ':'"});
}

TEST(SyntaxErrors, the_file_is_a_map) {
  EXPECT_EQ(problems_of("[1]\n"),
            Lines{"1:1+1 error: expected settings as in 'listeners:', not a list"});
  EXPECT_EQ(problems_of("hello\n"),
            Lines{"1:1+5 error: expected settings as in 'listeners:', not 'hello'"});
}

TEST(SyntaxErrors, empty_file_is_told_what_the_smallest_looks_like) {
  for (const std::string_view text :
       {"", "\n \n", "# comment\n", "---\n", "\xEF\xBB\xBF", "null\n"}) {
    const Lines problems = problems_of(text);
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_TRUE(problems[0].starts_with("error: the file is empty; the smallest useful one is\n"));
  }
}

TEST(SyntaxErrors, the_smallest_file_in_that_message_is_right) {
  const std::string message = read("").problems[0].message;
  EXPECT_EQ(problems_of(message.substr(message.find('\n') + 1)), Lines{});
}

TEST(SyntaxErrors, bytes_that_are_no_text) {
  EXPECT_EQ(problems_of("workers: \xFF\n"),
            Lines{"1:10+1 error: the text is not UTF-8 from here on"});
  EXPECT_EQ(problems_of("# \xED\xA0\x80\n"),
            Lines{"1:3+1 error: the text is not UTF-8 from here on"});
  EXPECT_EQ(problems_of("# \xC0\xAF\n"), Lines{"1:3+1 error: the text is not UTF-8 from here on"});
  EXPECT_EQ(
      problems_of(std::string_view("workers: 3\0", 11)),
      Lines{"1:11+1 error: a control character (0x00) may not be in a configuration; is this a "
            "text file? In double quotes it is written \\x00"});
  EXPECT_EQ(problems_of("a: 1\rb: 2\n"),
            Lines{"1:5+1 error: a carriage return without a line feed"});
}

TEST(SyntaxErrors, columns_count_characters) {
  EXPECT_EQ(problems_of("log: {file: äöü, level: größer}\nlisteners: []\n")[0],
            "1:25+6 error: log.level: expected debug, info, warning or error, not 'größer'");
}

}  // namespace
}  // namespace sluice::test
