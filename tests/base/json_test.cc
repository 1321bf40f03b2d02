#include "sluice/base/json.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::string written(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(json, plain_text_and_utf8_stay_as_they_are) {
  EXPECT_EQ(written("plain"), "\"plain\"");
  EXPECT_EQ(written("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x8C\x8A"),
            "\"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x8C\x8A\"");
}

TEST(json, quotes_backslashes_and_control_characters_are_escaped) {
  EXPECT_EQ(written("a\"b\\c\nd\re\tf"), R"("a\"b\\c\nd\re\tf")");
  EXPECT_EQ(written(std::string_view("\0\x01\x1f\x7f", 4)), R"("\u0000\u0001\u001f\u007f")");
}

TEST(json, bytes_that_are_not_utf8_become_the_replacement_character) {
  const std::string_view malformed[] = {"\xFF",
                                        "\xC3",
                                        "\xC0\xAF",
                                        "\xED\xA0\x80",
                                        "\xE2\x82",
                                        "\xF5\x80\x80\x80",
                                        "\xF0\x80\x80\x80",
                                        "\x80"};
  for (const std::string_view text : malformed) {
    const std::string out = written(text);
    EXPECT_NE(out.find("\xEF\xBF\xBD"), std::string::npos) << out;
    EXPECT_EQ(out.find(text), std::string::npos) << "the bytes themselves are gone";
  }
}

}  // namespace
}  // namespace sluice
