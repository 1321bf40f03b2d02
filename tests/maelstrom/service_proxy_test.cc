// Requests of a key-value store, passed on to the service that has it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "support.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

using ServiceProxyTest = InitialisedNode;

TEST_F(ServiceProxyTest, a_read_goes_to_lin_kv_and_its_value_back) {
  EXPECT_EQ(node.ask(request("read", 7, R"(,"key":[1, "a"])")),
            Lines{sent("lin-kv", "read", 1, R"(,"key":[1,"a"])")});
  EXPECT_EQ(node.ask(answer_from("lin-kv", "read_ok", 1, R"(,"value":{"x": 1e999})")),
            Lines{replied("read_ok", 7, 2, R"(,"value":{"x":1e999})")});
}

TEST_F(ServiceProxyTest, a_write_and_a_cas_are_passed_on_with_all_they_say) {
  EXPECT_EQ(node.ask(request("write", 7, R"(,"key":1,"value":null)")),
            Lines{sent("lin-kv", "write", 1, R"(,"key":1,"value":null)")});
  EXPECT_EQ(
      node.ask(request("cas", 8, R"(,"key":1,"from":2,"to":3,"create_if_not_exists":true)")),
      Lines{sent("lin-kv", "cas", 2, R"(,"key":1,"from":2,"to":3,"create_if_not_exists":true)")});
  EXPECT_EQ(node.ask(answer_from("lin-kv", "cas_ok", 2)), Lines{replied("cas_ok", 8, 3)});
  EXPECT_EQ(node.ask(answer_from("lin-kv", "write_ok", 1)), Lines{replied("write_ok", 7, 4)});
}

TEST_F(ServiceProxyTest, members_that_its_clients_do_not_know_are_not_carried_back) {
  node.ask(request("read", 7, R"(,"key":1)"));
  EXPECT_EQ(node.ask(answer_from("lin-kv", "read_ok", 1, R"(,"more":1,"value":2)")),
            Lines{replied("read_ok", 7, 2, R"(,"value":2)")});
}

TEST_F(ServiceProxyTest, errors_are_passed_on_with_their_code_and_text) {
  int msg_id = 1;
  for (const int code : {0, 1, 10, 11, 12, 13, 14, 20, 21, 22, 30, 1000}) {
    node.ask(request("cas", 7, R"(,"key":1,"from":2,"to":3)"));
    EXPECT_EQ(node.ask(answer_from("lin-kv", "error", msg_id,
                                   fmt::format(R"(,"code":{},"text":"\"why\"")", code))),
              Lines{error(7, code, R"(\"why\")", msg_id + 1)});
    msg_id += 2;
  }
}

TEST_F(ServiceProxyTest, an_error_without_text_is_passed_on_too) {
  node.ask(request("read", 7, R"(,"key":1)"));
  EXPECT_EQ(node.ask(answer_from("lin-kv", "error", 1, R"(,"code":20)")),
            Lines{error(7, 20, "", 2)});
}

TEST_F(ServiceProxyTest, without_an_answer_in_time_nobody_knows_and_it_is_not_sent_again) {
  node.ask(request("write", 7, R"(,"key":1,"value":2)"));
  EXPECT_EQ(node.pass(milliseconds(749)), Lines{});
  EXPECT_EQ(node.pass(milliseconds(1)),
            Lines{error(7, 0, "lin-kv did not answer in time: it may have been carried out", 2)});
  EXPECT_EQ(node.pass(seconds(60)), Lines{});
}

TEST_F(ServiceProxyTest, an_answer_that_comes_too_late_is_dropped) {
  node.ask(request("write", 7, R"(,"key":1,"value":2)"));
  node.pass(seconds(1));
  EXPECT_EQ(node.ask(answer_from("lin-kv", "write_ok", 1)), Lines{});
}

TEST_F(ServiceProxyTest, a_second_answer_and_one_from_somebody_else_are_dropped) {
  node.ask(request("write", 7, R"(,"key":1,"value":2)"));
  EXPECT_EQ(node.ask(answer_from("n2", "write_ok", 1)), Lines{});
  EXPECT_EQ(node.ask(answer_from("lin-kv", "write_ok", 1)).size(), 1U);
  EXPECT_EQ(node.ask(answer_from("lin-kv", "write_ok", 1)), Lines{});
}

TEST_F(ServiceProxyTest, an_answer_that_makes_no_sense_leaves_it_open) {
  int msg_id = 1;
  for (const std::string_view members :
       {R"(,"type":"write_ok")", R"(,"type":"read_ok")", R"(,"type":"error","code":"20")",
        R"(,"type":7)", R"(,"value":1)"}) {
    node.ask(request("read", 7, R"(,"key":1)"));
    EXPECT_TRUE(is_error(
        node.ask(fmt::format(R"({{"src":"lin-kv","dest":"n1","body":{{"in_reply_to":{}{}}}}})",
                             msg_id, members)),
        0, 7))
        << members;
    msg_id += 2;
  }
}

TEST_F(ServiceProxyTest, a_request_without_what_it_needs_is_error_12_and_not_sent) {
  for (const auto& [type, members] :
       {std::pair{"read", ""}, std::pair{"write", R"(,"key":1)"},
        std::pair{"write", R"(,"value":1)"}, std::pair{"cas", R"(,"key":1,"from":1)"},
        std::pair{"cas", R"(,"key":1,"to":1)"}, std::pair{"cas", R"(,"from":1,"to":1)"}}) {
    EXPECT_TRUE(is_error(node.ask(request(type, 2, members)), 12)) << type << members;
  }
}

TEST_F(ServiceProxyTest, a_write_without_number_is_carried_out_and_not_answered) {
  EXPECT_EQ(node.ask(from("c1", "write", R"(,"key":1,"value":2)")),
            Lines{sent("lin-kv", "write", 1, R"(,"key":1,"value":2)")});
  EXPECT_EQ(node.ask(answer_from("lin-kv", "write_ok", 1)), Lines{});
  EXPECT_EQ(node.ask(echo(2, "1")), Lines{echo_ok(2, 2, "1")}) << "which takes no number either";
}

TEST_F(ServiceProxyTest, at_the_end_of_input_who_waits_is_told_that_nobody_knows) {
  node.ask(request("write", 7, R"(,"key":1,"value":2)"));
  EXPECT_TRUE(is_error(node.end_input(), 0, 7));
}

TEST(ServiceProxyOptions, say_which_service_and_how_long) {
  Conversation node({.config = std::nullopt,
                     .manual_clock = false,
                     .service = "seq-kv",
                     .service_timeout = seconds(3)});
  node.ask(kInit);
  EXPECT_EQ(node.ask(request("read", 7, R"(,"key":1)")),
            Lines{sent("seq-kv", "read", 1, R"(,"key":1)")});
  EXPECT_EQ(node.pass(milliseconds(2999)), Lines{});
  EXPECT_TRUE(is_error(node.pass(milliseconds(1)), 0, 7));
}

}  // namespace
}  // namespace sluice
