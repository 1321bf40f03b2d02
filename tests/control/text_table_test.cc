#include "ctl/text_table.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace sluice
