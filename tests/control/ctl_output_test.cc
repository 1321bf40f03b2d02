// The admin API's answers as a person reads them.
#include "ctl/ctl_output.h"

#include <gtest/gtest.h>

#include <string>

#include "ctl/ctl_text.h"

namespace sluice {
namespace {

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

}  // namespace
}  // namespace sluice
