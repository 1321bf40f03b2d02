#include "sluice/base/log_value.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string value(std::string_view text) {
  std::string out;
  append_log_value(out, text);
  return out;
}

TEST(LogValue, plain_words_stay_as_they_are) {
  for (const char* text : {"web", "10.0.0.1:80", "[::1]:80", "a\\b", "unix:/run/x.sock"}) {
    EXPECT_EQ(value(text), text);
  }
}

TEST(LogValue, what_would_not_show_where_it_ends_is_quoted) {
  EXPECT_EQ(value("unix:/run/my app.sock"), R"("unix:/run/my app.sock")");
  EXPECT_EQ(value("say \"hi\""), R"("say \"hi\"")");
  EXPECT_EQ(value("a=b"), R"("a=b")");
  EXPECT_EQ(value("two\nlines"), R"("two\nlines")");
  EXPECT_EQ(value("a\x1b[31m"), R"("a\u001b[31m")");
  EXPECT_EQ(value(""), R"("")");
}

TEST(LogValue, dash_that_is_a_name_is_told_from_the_one_for_none) {
  EXPECT_EQ(value("-"), R"("-")");
  EXPECT_EQ(value("a-b"), "a-b");
}

TEST(LogValue, message_stays_on_its_line_and_colours_no_terminal) {
  std::string out;
  append_one_line(out, "two\nlines, \x1b[31mred\x7f, \"quoted\", \xc3\xa9");
  EXPECT_EQ(out, "two\\u000alines, \\u001b[31mred\\u007f, \"quoted\", \xc3\xa9");
}

TEST(LogValue, escaped_text_fits_between_quotes) {
  std::string out = "\"";
  append_escaped(out, "a \"b\" \\ \n");
  EXPECT_EQ(out + "\"", R"("a \"b\" \\ \n")");
}

}  // namespace
}  // namespace sluice
