// Health probes as messages: when they go out, to whom, and what becomes of the answers.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "support.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::string advance(int64_t ms) { return request("advance", 9, fmt::format(R"(,"ms":{})", ms)); }

// n1 with n2 and n3 and a clock moved by hand.
class PeerProberTest : public testing::Test {
 protected:
  PeerProberTest() { node.ask(init_of(R"(["n1","n2","n3"])")); }

  Lines ask(std::string_view bytes) { return node.ask(bytes); }
  // What was sent in that time, without the advance_ok.
  Lines pass(int64_t ms) {
    Lines lines = node.ask(advance(ms));
    EXPECT_NE(lines.back().find("advance_ok"), std::string::npos);
    lines.pop_back();
    return lines;
  }
  std::string health_of(std::string_view backend) {
    const std::string line = node.ask(request("status", 8)).front();
    const std::string beginning = fmt::format(R"({{"name":"{}","health":")", backend);
    const size_t begin = line.find(beginning) + beginning.size();
    return line.substr(begin, line.find('"', begin) - begin);
  }
  // Answers the probes among these lines, those to n2 like that.
  void answer(const Lines& probes, std::string_view type, std::string_view members = "") {
    for (const std::string& line : probes) {
      const size_t at = line.find(R"("msg_id":)") + 9;
      const int msg_id = std::stoi(line.substr(at));
      const std::string peer = line.substr(line.find(R"("dest":")") + 8, 2);
      const bool is_n2 = peer == "n2";
      ask(answer_from(peer, is_n2 ? type : "probe_ok", msg_id, is_n2 ? members : ""));
    }
  }

  Conversation node{{.config = std::nullopt, .manual_clock = true}};
};

TEST_F(PeerProberTest, go_to_every_other_node_at_the_first_advance_in_the_order_given) {
  EXPECT_EQ(ask(echo(7, "1")).size(), 1U) << "nothing goes out in between";
  EXPECT_EQ(ask(advance(0)), (Lines{sent("n2", "probe", 2), sent("n3", "probe", 3),
                                    replied("advance_ok", 9, 4, R"(,"now_ms":0)")}));
}

TEST_F(PeerProberTest, the_first_probe_decides_alone) {
  answer(pass(0), "probe_ok");
  EXPECT_EQ(health_of("n2"), "healthy");
  EXPECT_EQ(health_of("n3"), "healthy");
}

TEST_F(PeerProberTest, no_answer_within_the_timeout_is_a_failure) {
  pass(0);
  pass(999);
  EXPECT_EQ(health_of("n2"), "unknown");
  pass(1);
  EXPECT_EQ(health_of("n2"), "unhealthy");
  ASSERT_EQ(node.changes.size(), 2U);
  EXPECT_EQ(node.changes[0].why, "first probe failed: timeout");
}

TEST_F(PeerProberTest, the_healthy_are_probed_every_interval_and_the_unhealthy_more_often) {
  pass(0);
  ask(answer_from("n3", "probe_ok", 2));
  EXPECT_EQ(pass(999), Lines{});
  EXPECT_EQ(pass(1).size(), 1U)
      << "n2 after its timeout, with which its unhealthy_interval is over";
  EXPECT_EQ(pass(3999).size(), 3U) << "n2 alone";
  const Lines fifth = pass(1);
  EXPECT_EQ(fifth.size(), 2U) << "n3 too";
}

TEST_F(PeerProberTest, in_one_long_advance_all_of_them_go_out_in_the_order_of_their_times) {
  const Lines lines = pass(3000);
  ASSERT_EQ(lines.size(), 8U);  // at 0, 1, 2 and 3 s, each unanswered
  for (size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i], sent(i % 2 == 0 ? "n2" : "n3", "probe", static_cast<int>(i) + 1));
  }
}

TEST_F(PeerProberTest, thresholds_are_the_cores) {
  answer(pass(0), "probe_ok");
  // n2 falls silent: at 5 s, and then each second, until three in a row have failed.
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(health_of("n2"), "healthy") << i;
    const Lines lines = pass(i == 0 ? 5000 : 1000);
    for (const std::string& line : lines) {
      if (line.find("n3") != std::string::npos) answer({line}, "");
    }
  }
  pass(1000);
  EXPECT_EQ(health_of("n2"), "unhealthy");
  EXPECT_EQ(health_of("n3"), "healthy");
}

TEST_F(PeerProberTest, who_is_unhealthy_gets_no_requests) {
  const Lines probes = pass(0);
  answer({probes[1]}, "");
  pass(1000);
  for (int i = 0; i < 4; ++i) {
    const Lines asked = ask(echo(7, "1"));
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_NE(asked.front().find(R"("dest":"n3","body":{"type":"echo")"), std::string::npos);
  }
}

TEST_F(PeerProberTest, another_kind_of_node_that_does_not_know_probes_is_there_too) {
  answer(pass(0), "error", R"(,"code":10,"text":"what?")");
  EXPECT_EQ(health_of("n2"), "healthy");
}

TEST_F(PeerProberTest, one_that_is_not_ready_yet_is_neither_healthy_nor_not) {
  answer(pass(0), "error", R"(,"code":11,"text":"not initialised yet")");
  EXPECT_EQ(health_of("n2"), "unknown");
  answer(pass(1000), "probe_ok");
  EXPECT_EQ(health_of("n2"), "healthy");
}

TEST_F(PeerProberTest, any_other_answer_is_a_failure) {
  answer(pass(0), "echo_ok", R"(,"echo":1)");
  EXPECT_EQ(health_of("n2"), "unhealthy");
}

TEST_F(PeerProberTest, an_answer_after_the_timeout_counts_for_nothing) {
  const Lines probes = pass(0);
  pass(1000);
  answer(probes, "probe_ok");
  EXPECT_EQ(health_of("n2"), "unhealthy");
}

TEST_F(PeerProberTest, names_that_are_no_nodes_are_not_probed) {
  ask(request("backends", 5, R"(,"backends":["b1","n3","n1"])"));
  EXPECT_EQ(pass(0), Lines{sent("n3", "probe", 2)});
}

TEST_F(PeerProberTest, a_backend_that_has_gone_is_probed_no_more_and_its_late_answer_is_nobodys) {
  const Lines probes = pass(0);
  ask(request("backends", 5, R"(,"backends":["n3"])"));
  answer(probes, "probe_ok");
  const Lines later = pass(20'000);
  EXPECT_TRUE(std::ranges::none_of(
      later, [](const std::string& line) { return line.find("n2") != std::string::npos; }));
  ask(request("backends", 5, R"(,"backends":["n2","n3"])"));
  EXPECT_EQ(health_of("n2"), "unknown") << "it is a new one";
}

TEST_F(PeerProberTest, a_latecomer_waits_for_its_first_probe_while_another_is_healthy) {
  ask(request("backends", 5, R"(,"backends":["n3"])"));
  answer(pass(0), "");
  ask(request("backends", 5, R"(,"backends":["n2","n3","b1"])"));
  for (int i = 0; i < 4; ++i) {
    const std::string asked = ask(request("route", 6)).front();
    EXPECT_EQ(asked.find(R"("backend":"n2")"), std::string::npos);
  }
  const Lines probes = pass(0);
  ASSERT_EQ(probes.size(), 1U);
  answer(probes, "probe_ok");
  EXPECT_EQ(health_of("n2"), "healthy");
}

TEST_F(PeerProberTest, two_that_pass_after_it_opened_bring_the_trial_forward) {
  answer(pass(0), "probe_ok");
  for (int i = 0; i < 5; ++i) ask(request("report", 5, R"(,"backend":"n2","success":false)"));
  // The next one is hastened to a second after the opening.
  const Lines first = pass(1000);
  ASSERT_EQ(first, Lines{sent("n2", "probe", 9)});
  answer(first, "probe_ok");
  const Lines second = pass(1000);
  ASSERT_EQ(second.size(), 1U);
  answer(second, "probe_ok");
  EXPECT_EQ(node.changes.back().to, "half_open");
  EXPECT_EQ(node.changes.back().why, "2 probes in a row passed since it opened");
  // And as nobody else comes, the third takes the trial itself.
  answer(pass(1000), "probe_ok");
  EXPECT_EQ(node.changes.back().to, "closed");
}

TEST_F(PeerProberTest, at_the_end_of_input_nobody_is_blamed) {
  pass(0);
  EXPECT_EQ(node.end_input(), Lines{});
  EXPECT_EQ(node.changes.size(), 0U);
}

TEST_F(PeerProberTest, nothing_more_is_sent_to_a_reader_that_is_behind) {
  node.node().outbox().is_reader_behind = true;
  EXPECT_EQ(pass(0), Lines{});
  node.node().outbox().is_reader_behind = false;
  EXPECT_EQ(pass(1000).size(), 2U);
  EXPECT_EQ(health_of("n2"), "unknown") << "what was not sent says nothing";
}

// In real time.
TEST(PeerProberInRealTime, begins_with_the_first_message_after_the_init) {
  Conversation node;
  EXPECT_EQ(node.ask(init_of(R"(["n1","n2"])")).size(), 1U);
  EXPECT_EQ(node.pass(milliseconds(4999)), Lines{})
      << "a message to a node that is not there yet mutes the sender";
  const Lines lines = node.ask(request("topology", 2));
  EXPECT_EQ(lines, (Lines{replied("topology_ok", 2, 1), sent("n2", "probe", 2)}));
}

TEST(PeerProberInRealTime, or_else_after_a_while) {
  Conversation node;
  node.ask(init_of(R"(["n1","n2"])"));
  EXPECT_EQ(node.pass(seconds(5)), Lines{sent("n2", "probe", 1)});
}

TEST(PeerProberInRealTime, keeps_its_interval_whatever_comes) {
  Conversation node;
  node.ask(init_of(R"(["n1","n2"])"));
  int probes = 0;
  int msg_id = 0;
  const auto count = [&](const Lines& lines) {
    for (const std::string& line : lines) {
      if (line.find(R"("type":"probe")") == std::string::npos) continue;
      ++probes;
      msg_id = std::stoi(line.substr(line.find(R"("msg_id":)") + 9));
    }
  };
  count(node.ask(request("topology", 2)));
  for (int second = 0; second < 100; ++second) {
    node.ask(answer_from("n2", "probe_ok", msg_id));
    count(node.pass(seconds(1)));
  }
  EXPECT_GE(probes, 18);
  EXPECT_LE(probes, 23);
}

TEST(PeerProberInRealTime, a_probe_is_answered) {
  Conversation node;
  node.ask(kInit);
  EXPECT_EQ(
      node.ask(from("n2", "probe", R"(,"msg_id":5)")),
      Lines{R"({"src":"n1","dest":"n2","body":{"type":"probe_ok","in_reply_to":5,"msg_id":1}})"});
}

}  // namespace
}  // namespace sluice
