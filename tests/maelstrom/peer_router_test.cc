// Requests forwarded to peers: who is asked, what becomes of every kind of answer and of none.
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

// n1 with n2 and n3 as its peers, which nobody probes; `first` the settings choose the first one
// that may be tried.
class PeerRouterTest : public testing::Test {
 protected:
  static NodeOptions options(ClusterSettings settings) {
    settings.balance.policy = BalancePolicy::first;
    return {.config = peers_config(settings, false)};
  }

  explicit PeerRouterTest(ClusterSettings settings = {}) : node(options(settings)) {
    node.ask(init_of(R"(["n1","n2","n3"])"));
  }

  Lines status() { return node.ask(request("status", 99, R"(,"cluster":"peers")")); }
  // The part of the status about n2.
  std::string status_of_n2() {
    const std::string line = status().front();
    const size_t begin = line.find(R"({"name":"n2")");
    return line.substr(begin, line.find('}', begin) - begin + 1);
  }

  Conversation node;
};

const std::string kHi = R"(,"echo":"hi")";

TEST_F(PeerRouterTest, an_echo_goes_to_a_peer_and_its_answer_back_under_the_clients_number) {
  EXPECT_EQ(node.ask(echo(7, R"("hi")")), Lines{sent("n2", "echo", 1, kHi)});
  EXPECT_EQ(node.ask(answer_from("n2", "echo_ok", 1, kHi)), Lines{echo_ok(7, 2, R"("hi")")});
}

TEST_F(PeerRouterTest, what_a_node_has_forwarded_is_answered_here) {
  EXPECT_EQ(
      node.ask(from("n3", "echo", R"(,"msg_id":5,"echo":"hi")")),
      Lines{
          R"({"src":"n1","dest":"n3","body":{"type":"echo_ok","in_reply_to":5,"msg_id":1,"echo":"hi"}})"});
}

TEST_F(PeerRouterTest, answers_find_their_requests_in_whatever_order_they_come) {
  node.ask(echo(7, "1") + echo(8, "2") + echo(9, "3"));
  EXPECT_EQ(node.ask(answer_from("n2", "echo_ok", 3, R"(,"echo":3)")), Lines{echo_ok(9, 4, "3")});
  EXPECT_EQ(node.ask(answer_from("n2", "echo_ok", 1, R"(,"echo":1)")), Lines{echo_ok(7, 5, "1")});
  EXPECT_EQ(node.ask(answer_from("n2", "echo_ok", 2, R"(,"echo":2)")), Lines{echo_ok(8, 6, "2")});
}

TEST_F(PeerRouterTest, a_second_answer_is_nobodys) {
  node.ask(echo(7, "1"));
  EXPECT_EQ(node.ask(answer_from("n2", "echo_ok", 1, R"(,"echo":1)")).size(), 1U);
  EXPECT_EQ(node.ask(answer_from("n2", "echo_ok", 1, R"(,"echo":1)")), Lines{});
  EXPECT_EQ(node.pass(seconds(60)), Lines{}) << "and no deadline is left behind";
}

TEST_F(PeerRouterTest, an_answer_from_somebody_else_is_nobodys) {
  node.ask(echo(7, "1"));
  for (const std::string_view source : {"n3", "c1", "n1"}) {
    EXPECT_EQ(node.ask(answer_from(source, "echo_ok", 1, R"(,"echo":1)")), Lines{}) << source;
  }
  EXPECT_EQ(node.ask(from("n2", "echo_ok", R"(,"in_reply_to":"1","echo":1)")), Lines{});
  EXPECT_EQ(node.ask(answer_from("n2", "echo_ok", 1, R"(,"echo":1)")).size(), 1U);
}

TEST_F(PeerRouterTest,
       a_peer_that_does_not_answer_in_time_is_a_connect_failure_and_another_is_tried) {
  node.ask(echo(7, R"("hi")"));
  EXPECT_EQ(node.pass(milliseconds(1999)), Lines{});
  EXPECT_EQ(node.pass(milliseconds(1)), Lines{sent("n3", "echo", 2, kHi)});
  EXPECT_NE(status_of_n2().find(R"("consecutive_failures":1)"), std::string::npos);
  EXPECT_EQ(node.ask(answer_from("n3", "echo_ok", 2, kHi)), Lines{echo_ok(7, 4, R"("hi")")});
}

TEST_F(PeerRouterTest, an_answer_that_comes_too_late_is_dropped) {
  node.ask(echo(7, R"("hi")"));
  EXPECT_EQ(node.pass(seconds(2)).size(), 1U);
  EXPECT_EQ(node.ask(answer_from("n2", "echo_ok", 1, kHi)), Lines{});
  EXPECT_EQ(node.ask(answer_from("n3", "echo_ok", 2, kHi)).size(), 1U);
}

TEST_F(PeerRouterTest, before_the_client_gives_up_it_gets_error_0) {
  node.ask(echo(7, "1"));
  EXPECT_EQ(node.pass(milliseconds(4499)).size(), 2U) << "two more attempts";
  EXPECT_EQ(node.pass(milliseconds(1)), Lines{error(7, 0, "no peer answered", 4)});
  EXPECT_EQ(node.pass(seconds(60)), Lines{});
  EXPECT_NE(status_of_n2().find(R"("consecutive_failures":1)"), std::string::npos)
      << "the attempt that was cut short is not held against it";
}

TEST_F(PeerRouterTest, a_peer_that_says_unavailable_is_a_failure_and_another_is_tried_at_once) {
  node.ask(echo(7, R"("hi")"));
  EXPECT_EQ(node.ask(answer_from("n2", "error", 1, R"(,"code":11,"text":"not yet")")),
            Lines{sent("n3", "echo", 2, kHi)});
  EXPECT_NE(status_of_n2().find(R"("consecutive_failures":1)"), std::string::npos);
}

TEST_F(PeerRouterTest, when_all_said_unavailable_it_was_certainly_not_done) {
  node.ask(echo(7, "1"));
  node.ask(answer_from("n2", "error", 1, R"(,"code":11,"text":"")"));
  node.ask(answer_from("n3", "error", 2, R"(,"code":11,"text":"")"));
  EXPECT_TRUE(is_error(node.ask(answer_from("n2", "error", 3, R"(,"code":11,"text":"")")), 11, 7));
}

TEST_F(PeerRouterTest, another_error_of_a_peer_is_its_answer) {
  node.ask(echo(7, "1"));
  EXPECT_EQ(node.ask(answer_from("n2", "error", 1, R"(,"code":13,"text":"crash \"1\"")")),
            Lines{error(7, 13, R"(crash \"1\")", 2)});
  EXPECT_NE(status_of_n2().find(R"("consecutive_failures":0)"), std::string::npos);
}

TEST_F(PeerRouterTest, an_answer_that_makes_no_sense_is_a_failure) {
  int number = 7;
  int msg_id = 1;
  for (const std::string_view members :
       {R"(,"type":"echo_ok")", R"(,"type":"read_ok","value":1)", R"(,"type":"error","text":"")",
        R"(,"type":"error","code":"11")"}) {
    node.ask(echo(number, R"("hi")"));
    EXPECT_EQ(node.ask(fmt::format(R"({{"src":"n2","dest":"n1","body":{{"in_reply_to":{}{}}}}})",
                                   msg_id, members)),
              Lines{sent("n3", "echo", msg_id + 1, kHi)});
    node.ask(answer_from("n3", "echo_ok", msg_id + 1, kHi));
    ++number;
    msg_id += 3;
  }
  EXPECT_NE(status_of_n2().find(R"("consecutive_failures":4)"), std::string::npos);
}

TEST_F(PeerRouterTest, when_nobody_may_be_tried_the_client_gets_error_11_at_once) {
  for (const std::string_view peer : {"n2", "n3"}) {
    for (int i = 0; i < 5; ++i) {
      node.ask(request("report", 2,
                       fmt::format(R"(,"cluster":"peers","backend":"{}","success":false)", peer)));
    }
  }
  EXPECT_TRUE(is_error(node.ask(echo(7, "1")), 11, 7));
}

TEST_F(PeerRouterTest, an_open_circuit_is_passed_by_and_its_trial_is_one_request) {
  for (int i = 0; i < 5; ++i) {
    node.ask(request("report", 2, R"(,"cluster":"peers","backend":"n2","success":false)"));
  }
  EXPECT_EQ(node.ask(echo(7, R"("hi")")), Lines{sent("n3", "echo", 6, kHi)});
  node.pass(seconds(34));  // recovery_timeout and its jitter; n3's attempt ends meanwhile
  const Lines trial = node.ask(echo(8, "2"));
  EXPECT_NE(trial.front().find(R"("dest":"n2")"), std::string::npos) << trial.front();
  const Lines other = node.ask(echo(9, "3"));
  EXPECT_NE(other.front().find(R"("dest":"n3")"), std::string::npos) << other.front();
}

TEST_F(PeerRouterTest, an_echo_without_number_goes_nowhere) {
  EXPECT_EQ(node.ask(from("c1", "echo", R"(,"echo":1)")), Lines{});
}

TEST_F(PeerRouterTest, what_is_carried_along_may_be_anything) {
  for (const std::string_view payload :
       {"1e999", "18446744073709551616", R"({"a":[null,"\u0000"]})"}) {
    const Lines asked = node.ask(echo(7, payload));
    EXPECT_NE(asked.front().find(fmt::format(R"("echo":{}}}}})", payload)), std::string::npos);
  }
}

TEST_F(PeerRouterTest, at_the_end_of_input_who_waits_is_told_that_nobody_knows) {
  node.ask(echo(7, "1") + echo(8, "2"));
  EXPECT_EQ(node.end_input(),
            (Lines{error(7, 0, "no peer answered", 3), error(8, 0, "no peer answered", 4)}));
}

TEST_F(PeerRouterTest, at_the_end_of_input_nobody_is_blamed) {
  for (int i = 0; i < 10; ++i) node.ask(echo(7, "1"));
  node.now += seconds(2);
  EXPECT_EQ(node.end_input().size(), 10U);
  EXPECT_EQ(node.changes.size(), 0U) << "not even for one that has had its time";
}

TEST_F(PeerRouterTest, peers_that_go_while_a_request_is_under_way_may_still_answer_it) {
  node.ask(echo(7, R"("hi")"));
  node.ask(request("backends", 2, R"(,"cluster":"peers","backends":["n3"])"));
  EXPECT_EQ(node.ask(answer_from("n2", "echo_ok", 1, kHi)), Lines{echo_ok(7, 3, R"("hi")")});
  EXPECT_EQ(node.ask(echo(8, R"("hi")")), Lines{sent("n3", "echo", 4, kHi)});
}

TEST_F(PeerRouterTest, itself_among_the_backends_is_answered_here) {
  node.ask(request("backends", 2, R"(,"cluster":"peers","backends":["n1"])"));
  EXPECT_EQ(node.ask(echo(7, R"("hi")")), Lines{echo_ok(7, 2, R"("hi")")});
}

TEST_F(PeerRouterTest, names_that_are_no_nodes_are_never_sent_anything) {
  node.ask(request("backends", 2, R"(,"cluster":"peers","backends":["b1"])"));
  EXPECT_EQ(node.ask(echo(7, R"("hi")")), Lines{echo_ok(7, 2, R"("hi")")});
  for (int i = 0; i < 5; ++i) {
    node.ask(request("report", 2, R"(,"cluster":"peers","backend":"b1","success":false)"));
  }
  EXPECT_TRUE(is_error(node.ask(echo(8, "1")), 11, 8)) << "but their circuits count";
  node.pass(seconds(34));
  EXPECT_EQ(node.ask(echo(9, "1")).size(), 1U);
  EXPECT_EQ(node.changes.back().to, "half_open") << "it is no verdict on them";
}

TEST_F(PeerRouterTest, what_waits_for_answers_is_bounded_in_bytes) {
  const std::string payload = "\"" + std::string(10'000'000, 'x') + "\"";
  for (int i = 1; i <= 6; ++i) EXPECT_EQ(node.ask(echo(i, payload)).size(), 1U);
  EXPECT_TRUE(is_error(node.ask(echo(7, payload)), 11, 7));
  node.ask(answer_from("n2", "echo_ok", 1, kHi));
  EXPECT_NE(node.ask(echo(8, payload)).front().find(R"("dest":"n2")"), std::string::npos);
}

TEST_F(PeerRouterTest, what_waits_for_answers_is_bounded_in_number) {
  for (size_t i = 0; i < Calls::kOpenMax; ++i) node.feed(echo(7, "1"));
  EXPECT_TRUE(is_error(node.ask(echo(8, "1")), 11, 8));
  EXPECT_TRUE(is_error(node.ask(request("read", 9, R"(,"key":1)")), 11, 9));
}

ClusterSettings one_place(uint32_t pending_max) {
  ClusterSettings settings;
  settings.limits.of_backend = 1;
  settings.pending = {.clients_max = pending_max, .timeout = seconds(1)};
  return settings;
}

class PeersAtTheirLimit : public PeerRouterTest {
 protected:
  PeersAtTheirLimit() : PeerRouterTest(one_place(2)) { node.ask(echo(1, "1") + echo(2, "2")); }
};

TEST_F(PeersAtTheirLimit, wait_in_a_queue_first_come_first_served) {
  EXPECT_EQ(node.ask(echo(3, "3") + echo(4, "4")), Lines{});
  EXPECT_EQ(node.ask(answer_from("n3", "echo_ok", 2, R"(,"echo":2)")),
            (Lines{echo_ok(2, 3, "2"), sent("n3", "echo", 4, R"(,"echo":3)")}));
  EXPECT_EQ(node.ask(answer_from("n2", "echo_ok", 1, R"(,"echo":1)")),
            (Lines{echo_ok(1, 5, "1"), sent("n2", "echo", 6, R"(,"echo":4)")}));
}

TEST_F(PeersAtTheirLimit, refuse_who_finds_the_queue_full) {
  EXPECT_EQ(node.ask(echo(3, "3") + echo(4, "4")), Lines{});
  EXPECT_TRUE(is_error(node.ask(echo(5, "5")), 11, 5));
}

TEST_F(PeersAtTheirLimit, refuse_who_has_waited_for_the_queue_timeout) {
  EXPECT_EQ(node.ask(echo(3, "3")), Lines{});
  EXPECT_EQ(node.pass(milliseconds(999)), Lines{});
  EXPECT_TRUE(is_error(node.pass(milliseconds(1)), 11, 3));
}

TEST_F(PeersAtTheirLimit, refuse_who_waits_when_the_input_ends) {
  EXPECT_EQ(node.ask(echo(3, "3")), Lines{});
  const Lines last = node.end_input();
  ASSERT_EQ(last.size(), 3U) << testing::PrintToString(last);
  EXPECT_TRUE(is_error({last[2]}, 11, 3));
}

}  // namespace
}  // namespace sluice
