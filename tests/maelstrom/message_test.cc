#include "maelstrom/message.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "maelstrom/large_numbers.h"

namespace sluice {
namespace {

std::string with_body(std::string_view body) {
  return fmt::format(R"({{"src":"c1","dest":"n1","body":{}}})", body);
}

class MessageParserTest : public testing::Test {
 protected:
  std::string error_of(std::string_view text) {
    const auto message = parser.parse(text);
    return message ? "" : message.error().message;
  }

  // The value of key `x` in the body, as it is carried along.
  std::string carried(std::string_view value) {
    const std::string text = with_body(fmt::format(R"({{"msg_id":5,"x":{},"y":0}})", value));
    const auto message = parser.parse(text);
    if (!message) return message.error().message;
    EXPECT_EQ(message->msg_id, 5);
    std::string out;
    append_minified(out, message->find("x")->text);
    return out;
  }

  MessageParser parser;
};

TEST_F(MessageParserTest, keys_may_come_in_any_order_with_others_and_white_space) {
  const auto message = parser.parse(
      "\t{ \"id\" : 3,\r\n\"body\" : { \"x\" : [ 1 ] , \"msg_id\" : 7 , \"type\" : \"t\" } ,"
      " \"dest\" : \"n1\" , \"body2\" : {} , \"src\" : \"c1\" }\n");
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->source, "c1");
  EXPECT_EQ(message->destination, "n1");
  EXPECT_EQ(message->type, "t");
  EXPECT_EQ(message->msg_id, 7);
  EXPECT_FALSE(message->is_reply);
  EXPECT_EQ(message->body.size(), 3U);
  EXPECT_EQ(message->find("x")->text, "[ 1 ]");
}

TEST_F(MessageParserTest, escaped_keys_and_names_are_read) {
  const auto message = parser.parse(
      R"({"\u0073rc":"\u0063\"1","dest":"\ud83d\ude00","b\u006fdy":{"ty\u0070e":"e\u0063ho","x":1}})");
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->source, "c\"1");
  EXPECT_EQ(message->destination, "\U0001F600");
  EXPECT_EQ(message->type, "echo");
  EXPECT_EQ(message->find("x")->text, "1");
}

TEST_F(MessageParserTest, of_a_key_that_is_there_twice_the_first_counts) {
  const auto message = parser.parse(
      R"({"src":"c1","src":"c2","dest":"n1","body":{"type":"a","type":"b"},"body":{"type":"c"}})");
  ASSERT_TRUE(message);
  EXPECT_EQ(message->source, "c1");
  EXPECT_EQ(message->type, "a");
  EXPECT_EQ(message->body.size(), 2U);
}

TEST_F(MessageParserTest, the_text_of_a_value_is_carried_along_unchanged) {
  for (const std::string_view value :
       {"null", "true", "0", "-0", "-0.0", "1.10", "1E+2", "12345678901234567890", "\"\"",
        R"("\u0001\/\"\\\b😀\ud83d\ude00é")", "[]", "{}", R"([[],{"a":[{"b":null}]},"] }"])"}) {
    EXPECT_EQ(carried(value), value);
  }
}

TEST_F(MessageParserTest, white_space_goes_but_not_in_strings) {
  EXPECT_EQ(carried("\n[ 1 ,\t{ \"a b\" :\r\n\" c \" } ]  "), R"([1,{"a b":" c "}])");
}

TEST_F(MessageParserTest, numbers_that_fit_nowhere_are_carried_along_too) {
  for (const std::string_view value :
       {"123456789012345678901234567890", "-9223372036854775809", "1e400", "-1.5E+999",
        R"([18446744073709551616,"99999999999999999999999 \" 1e999",{"k":1e999}])"}) {
    EXPECT_EQ(carried(value), value);
  }
}

TEST_F(MessageParserTest, a_malformed_number_is_no_number_however_large) {
  for (const std::string_view value :
       {"0123456789012345678901234567890", "1e", "1e999.5", ".1e999", "1.e999", "+1e999", "--1e999",
        "1e999x", "1e999 1e999", "[1e999,]"}) {
    EXPECT_NE(error_of(with_body(fmt::format(R"({{"x":{}}})", value))), "") << value;
  }
}

TEST_F(MessageParserTest, what_is_not_json_is_refused) {
  for (const std::string text : {"", "{", "{\"a\":1}{\"a\":2}", "{\"a\" 1}", "{a:1}", "{'a':1}",
                                 "{\"a\":1,}", "{\"a\":[1}", "{\"a\":nul}", "{\"a\":\"\t\"}",
                                 "{\"a\":\"\\x\"}", "{\"a\":\"\xff\"}", "{\"a\":\"\\ud800\"}"}) {
    EXPECT_TRUE(error_of(text).starts_with("not JSON")) << text << ": " << error_of(text);
  }
  const std::string with_nul("{\"src\":\"a\",\"dest\":\"b\",\"body\":{}\0}", 34);
  EXPECT_NE(error_of(with_nul), "");
}

TEST_F(MessageParserTest, what_is_json_but_no_message_is_refused) {
  for (const std::string_view text :
       {"[]", "7", "{}", R"({"src":"a","dest":"b"})", R"({"src":"a","body":{}})",
        R"({"dest":"b","body":{}})", R"({"src":1,"dest":"b","body":{}})",
        R"({"src":"a","dest":null,"body":{}})", R"({"src":"a","dest":"b","body":[]})"}) {
    EXPECT_TRUE(error_of(text).starts_with("no message")) << text << ": " << error_of(text);
  }
}

TEST_F(MessageParserTest, a_msg_id_is_a_64_bit_integer) {
  EXPECT_EQ(parser.parse(with_body(R"({"msg_id":-9223372036854775808})"))->msg_id, INT64_MIN);
  EXPECT_EQ(parser.parse(with_body(R"({"msg_id":9223372036854775807})"))->msg_id, INT64_MAX);
  EXPECT_EQ(parser.parse(with_body("{}"))->msg_id, std::nullopt);
  EXPECT_EQ(parser.parse(with_body(R"({"msg_id":null})"))->msg_id, std::nullopt);
  for (const std::string_view id : {"1.0", "1e0", "\"1\"", "[1]", "true", "9223372036854775808",
                                    "1e999", "123456789012345678901234567890"}) {
    EXPECT_NE(error_of(with_body(fmt::format(R"({{"msg_id":{}}})", id))).find("msg_id"),
              std::string::npos)
        << id;
  }
}

TEST_F(MessageParserTest, a_message_with_in_reply_to_is_a_reply) {
  EXPECT_TRUE(parser.parse(with_body(R"({"in_reply_to":0})"))->is_reply);
  EXPECT_FALSE(parser.parse(with_body(R"({"in_reply_to":null})"))->is_reply);
}

TEST_F(MessageParserTest, depth_is_bounded) {
  const auto nested = [](size_t depth) {
    return with_body(
        fmt::format(R"({{"x":{}{}}})", std::string(depth, '['), std::string(depth, ']')));
  };
  EXPECT_EQ(error_of(nested(1000)), "");
  EXPECT_EQ(error_of(nested(1100)), "nested deeper than 1024");
  EXPECT_EQ(error_of(nested(2'000'000)), "nested deeper than 1024");
}

TEST_F(MessageParserTest, members_of_a_body_are_bounded) {
  const auto with_members = [](size_t count) {
    std::string body = "{\"x\":0";
    for (size_t i = 1; i < count; ++i) body += ",\"x\":0";
    return with_body(body + "}");
  };
  EXPECT_EQ(error_of(with_members(MessageParser::kBodyFieldsMax)), "");
  EXPECT_NE(error_of(with_members(MessageParser::kBodyFieldsMax + 1)), "");
}

TEST_F(MessageParserTest, it_can_be_used_again_after_an_error_and_after_something_long) {
  EXPECT_NE(error_of("{"), "");
  EXPECT_EQ(carried("\"" + std::string(5'000'000, 'x') + "\"").size(), 5'000'002U);
  EXPECT_NE(error_of("[1e999"), "");
  EXPECT_EQ(carried("1"), "1");
}

TEST(LargeNumbers, only_those_that_fit_nowhere_are_replaced) {
  std::string json =
      R"([9223372036854775807,18446744073709551615,1e308,-18446744073709551615,1e309,"1e309"])";
  EXPECT_TRUE(replace_large_numbers(json));
  EXPECT_EQ(
      json,
      R"([9223372036854775807,18446744073709551615,1e308,0.0                  ,0.0  ,"1e309"])");
  EXPECT_FALSE(replace_large_numbers(json));
}

}  // namespace
}  // namespace sluice
