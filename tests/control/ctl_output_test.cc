// The admin API's answers as a person reads them.
#include "ctl/ctl_output.h"

#include <gtest/gtest.h>

#include <string>

#include "ctl/text_table.h"

namespace sluice {
namespace {

TEST(text_table, columns_are_as_wide_as_what_is_in_them) {
  TextTable table({{"NAME"}, {"N", TextAlign::right}, {"LAST"}});
  table.add({{"a"}, {"100"}, {"x"}});
  table.add({{"gr\xC3\xBC\xC3\x9F"
              "e"},
             {"5"},
             {"y"}});
  EXPECT_EQ(table.render(false),
            "NAME     N  LAST\n"
            "a      100  x\n"
            "gr\xC3\xBC\xC3\x9F"
            "e    5  y\n");
}

TEST(text_table, colours_are_there_only_when_wanted_and_change_no_width) {
  TextTable table({{"A"}, {"B"}});
  table.add({{"open", TextColor::bad}, {"1"}});
  EXPECT_EQ(table.render(false), "A     B\nopen  1\n");
  EXPECT_EQ(table.render(true), "A     B\n\x1b[31mopen\x1b[0m  1\n");
}

TEST(ctl_output, an_answer_of_another_shape_is_an_error_that_says_so) {
  for (const std::string_view body : {"", "{", "{}", "[]", R"({"clusters":[{}]})"}) {
    const auto text = render_ctl(CtlView::clusters, body, false);
    ASSERT_FALSE(text) << body;
    EXPECT_NE(text.error().message.find("--json"), std::string::npos);
  }
}

TEST(ctl_output, a_refusal_is_told_in_its_own_words) {
  EXPECT_EQ(error_of("{\"error\":\"there is no cluster 'x'\"}\n"), "there is no cluster 'x'");
  EXPECT_EQ(error_of("<html>502</html>"), "<html>502</html>");
}

TEST(ctl_output, of_what_is_no_refusal_the_beginning_is_told) {
  EXPECT_EQ(error_of("one\r\ntwo"), "one");
  EXPECT_EQ(error_of(std::string(5000, 'x')).size(), 200U);
  EXPECT_EQ(error_of(""), "");
}

TEST(ctl_output, what_would_command_the_terminal_is_a_question_mark) {
  EXPECT_EQ(printable("a\x1b[2J\x07\x7F\tb"), "a?[2J???b");
  EXPECT_EQ(printable("\xC2\x9B"
                      "2J gr\xC3\xBC\xC3\x9F"
                      "e \xC2\xA0"),
            "?2J gr\xC3\xBC\xC3\x9F"
            "e \xC2\xA0");
  EXPECT_EQ(printable("\xC2"), "\xC2");
  EXPECT_EQ(error_of("{\"error\":\"\\u001b[2J\"}"), "?[2J");
}

TEST(ctl_output, json_has_its_keys_escaped_too) {
  EXPECT_EQ(*render_ctl(CtlView::json, R"({"a\"\n":1})", false), "{\n  \"a\\\"\\n\": 1\n}\n");
}

TEST(ctl_output, json_is_shown_with_a_line_for_each_value) {
  EXPECT_EQ(*render_ctl(CtlView::json, R"({"a":[1,{}],"b":"x"})", false),
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": \"x\"\n}\n");
}

const std::string kStream =
    "retry: 1000\nid: e-0\nevent: hello\ndata: {}\n\n: heartbeat\n\nid: e-1\nevent: transition\n"
    "data: {\"time\":\"T\",\"kind\":\"breaker\",\"cluster\":\"web\",\"backend\":\"b1\",\"from\":"
    "\"closed\",\"to\":\"open\",\"why\":\"w\",\"retry_at\":\"R\"}\n\n"
    "event: missed\ndata: {\"missed\":7}\n\n";

TEST(ctl_output, events_become_lines_however_they_arrive) {
  const std::string expected =
      "T web breaker of b1: closed -> open: w; next trial at R\n7 events were missed\n";
  for (size_t size = 1; size <= kStream.size(); ++size) {
    CtlEventReader reader(CtlEventReader::Form::text, false);
    std::string out;
    for (size_t i = 0; i < kStream.size(); i += size) {
      out += reader.take(std::string_view(kStream).substr(i, size));
    }
    EXPECT_EQ(out, expected) << size;
    EXPECT_EQ(reader.last_id(), "e-1");
  }
}

TEST(ctl_output, events_as_json_are_the_servers_own_words) {
  CtlEventReader reader(CtlEventReader::Form::json, false);
  EXPECT_TRUE(reader.take(kStream).starts_with("{\"time\":\"T\",\"kind\":\"breaker\""));
}

TEST(ctl_output, events_of_another_writer_are_read_as_well) {
  CtlEventReader reader(CtlEventReader::Form::json, false);
  EXPECT_EQ(reader.take("id:e-7\r\nevent:missed\r\ndata:{\"missed\":7}\r\n\r\n"),
            "{\"missed\":7}\n");
  EXPECT_EQ(reader.last_id(), "e-7");
}

TEST(ctl_output, a_line_without_an_end_is_given_up) {
  CtlEventReader reader(CtlEventReader::Form::text, false);
  reader.take(std::string(CtlEventReader::kLineBytesMax, 'x'));
  EXPECT_FALSE(reader.is_lost());
  reader.take("x");
  EXPECT_TRUE(reader.is_lost());
}

}  // namespace
}  // namespace sluice
