#include "sluice/base/json.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

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

TEST(json_writer, commas_stand_between_values_and_members_only) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("list");
  json.begin_array();
  json.value(1);
  json.begin_object();
  json.end_object();
  json.begin_array();
  json.end_array();
  json.null();
  json.end_array();
  json.member("last", "x");
  json.end_object();
  EXPECT_EQ(out, R"({"list":[1,{},[],null],"last":"x"})");
}

TEST(json_writer, keys_and_texts_are_quoted) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("a\"b", std::string("c\nd"));
  json.end_object();
  EXPECT_EQ(out, R"({"a\"b":"c\nd"})");
}

TEST(json_writer, numbers_keep_their_range_and_truth_is_no_number) {
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  json.value(UINT64_MAX);
  json.value(INT64_MIN);
  json.value(uint8_t{7});
  json.value(true);
  json.value(0.25);
  json.value(std::numeric_limits<double>::infinity());
  json.value(std::optional<uint32_t>());
  json.value(std::optional<uint32_t>(3));
  json.raw("[1]");
  json.end_array();
  EXPECT_EQ(out, "[18446744073709551615,-9223372036854775808,7,true,0.25,null,null,3,[1]]");
}

}  // namespace
}  // namespace sluice
