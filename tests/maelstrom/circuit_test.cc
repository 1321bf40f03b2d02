// A circuit that opens, is tried and closes, as a harness sees it by control messages.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string_view>

#include "control_conversation.h"

namespace sluice {
namespace {

// The second of the contract's samples: each line as it goes over stdin and stdout.
TEST(Transcript, of_a_circuit_that_opens_and_closes_again) {
  Conversation node({.config = std::nullopt, .manual_clock = true});
  const auto say = [&](std::string_view body) {
    return node.ask(fmt::format(R"({{"src":"c1","dest":"n1","body":{}}})", body));
  };
  const auto hear = [](std::string_view body) {
    return Lines{fmt::format(R"({{"src":"n1","dest":"c1","body":{}}})", body)};
  };
  EXPECT_EQ(node.ask(kInit), Lines{std::string(kInitOk)});
  EXPECT_EQ(say(R"({"type":"backends","msg_id":2,"backends":["b1"]})"),
            hear(R"({"type":"backends_ok","in_reply_to":2,"msg_id":1})"));
  EXPECT_EQ(say(R"({"type":"route","msg_id":3})"),
            hear(R"({"type":"route_ok","in_reply_to":3,"msg_id":2,"backend":"b1","trial":false})"));
  for (int i = 1; i <= 5; ++i) {
    EXPECT_EQ(
        say(fmt::format(R"({{"type":"report","msg_id":{},"backend":"b1","success":false}})",
                        3 + i)),
        hear(fmt::format(
            R"({{"type":"report_ok","in_reply_to":{},"msg_id":{},"backend":"b1","state":"{}","consecutive_failures":{}}})",
            3 + i, 2 + i, i < 5 ? "closed" : "open", i)));
  }
  EXPECT_EQ(
      say(R"({"type":"route","msg_id":9})"),
      hear(
          R"({"type":"error","in_reply_to":9,"code":11,"text":"no backend may be tried","msg_id":8})"));
  EXPECT_EQ(say(R"({"type":"advance","msg_id":10,"ms":29999})"),
            hear(R"({"type":"advance_ok","in_reply_to":10,"msg_id":9,"now_ms":29999})"));
  EXPECT_EQ(
      say(R"({"type":"route","msg_id":11})"),
      hear(
          R"({"type":"error","in_reply_to":11,"code":11,"text":"no backend may be tried","msg_id":10})"));
  EXPECT_EQ(say(R"({"type":"advance","msg_id":12,"ms":1})"),
            hear(R"({"type":"advance_ok","in_reply_to":12,"msg_id":11,"now_ms":30000})"));
  EXPECT_EQ(
      say(R"({"type":"status","msg_id":13})"),
      hear(
          R"({"type":"status_ok","in_reply_to":13,"msg_id":12,"backends":[{"name":"b1","health":"unknown","breaker":"half_open","consecutive_failures":5,"opens":1}]})"));
  EXPECT_EQ(
      say(R"({"type":"route","msg_id":14})"),
      hear(R"({"type":"route_ok","in_reply_to":14,"msg_id":13,"backend":"b1","trial":true})"));
  EXPECT_EQ(
      say(R"({"type":"route","msg_id":15})"),
      hear(
          R"({"type":"error","in_reply_to":15,"code":11,"text":"no backend may be tried","msg_id":14})"));
  EXPECT_EQ(
      say(R"({"type":"report","msg_id":16,"backend":"b1","success":true})"),
      hear(
          R"({"type":"report_ok","in_reply_to":16,"msg_id":15,"backend":"b1","state":"closed","consecutive_failures":0})"));
  EXPECT_EQ(
      say(R"({"type":"route","msg_id":17})"),
      hear(R"({"type":"route_ok","in_reply_to":17,"msg_id":16,"backend":"b1","trial":false})"));
}

class CircuitTest : public ControlMessagesTest {};

TEST_F(CircuitTest, requests_go_elsewhere_while_a_circuit_is_open) {
  set_backends(R"(["b1","b2"])");
  open("b1");
  for (int i = 0; i < 6; ++i) EXPECT_EQ(answer("route"), routed("b2"));
}

TEST_F(CircuitTest, a_success_in_between_starts_the_count_again) {
  set_backends(R"(["b1"])");
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(report("b1", false), state("b1", "closed", i));
  EXPECT_EQ(report("b1", true), state("b1", "closed", 0));
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(report("b1", false), state("b1", "closed", i));
  EXPECT_EQ(report("b1", false), state("b1", "open", 5));
}

TEST_F(CircuitTest, while_a_circuit_is_open_reports_change_nothing) {
  set_backends(R"(["b1"])");
  open("b1");
  EXPECT_EQ(report("b1", true), state("b1", "open", 5));
  EXPECT_EQ(report("b1", false), state("b1", "open", 5));
}

TEST_F(CircuitTest, a_failed_trial_doubles_the_open_time) {
  set_backends(R"(["b1"])");
  open("b1");
  advance(30'000);
  EXPECT_EQ(answer("route"), routed("b1", true));
  EXPECT_EQ(report("b1", false), state("b1", "open", 5));
  advance(59'999);
  EXPECT_EQ(answer("route"), kRefused);
  advance(1);
  EXPECT_EQ(answer("route"), routed("b1", true));
}

TEST_F(CircuitTest, a_report_without_a_route_is_the_trial_itself) {
  set_backends(R"(["b1","b2"])");
  open("b1");
  open("b2");
  advance(30'000);
  EXPECT_EQ(report("b1", true), state("b1", "closed", 0));
  EXPECT_EQ(report("b2", false), state("b2", "open", 5));
}

TEST_F(CircuitTest, a_trial_that_is_not_reported_fails_after_the_connect_timeout) {
  set_backends(R"(["b1"])");
  open("b1");
  advance(30'000);
  EXPECT_EQ(answer("route"), routed("b1", true));
  advance(1999);
  EXPECT_EQ(node.changes.back().to, "half_open");
  advance(1);
  EXPECT_EQ(node.changes.back().to, "open");
  EXPECT_EQ(node.changes.back().why, "trial failed: timeout");
}

TEST_F(CircuitTest, a_trial_of_a_backend_that_has_gone_ends_in_silence) {
  set_backends(R"(["b1"])");
  open("b1");
  advance(30'000);
  EXPECT_EQ(answer("route"), routed("b1", true));
  set_backends(R"(["b2"])");
  const size_t changes = node.changes.size();
  EXPECT_EQ(advance(60'000), R"("now_ms":90000)");
  EXPECT_EQ(node.changes.size(), changes);
}

TEST_F(CircuitTest, a_backend_turns_half_open_by_itself) {
  set_backends(R"(["b1"])");
  open("b1");
  advance(30'000);
  ASSERT_EQ(node.changes.size(), 2U);
  EXPECT_EQ(node.changes[1].to, "half_open");
  EXPECT_EQ(node.changes[1].at, TimePoint(std::chrono::seconds(30)));
}

}  // namespace
}  // namespace sluice
