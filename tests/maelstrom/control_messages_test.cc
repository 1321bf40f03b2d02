// The messages by which a harness drives the core, under a clock that it moves.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "control_conversation.h"

namespace sluice {
namespace {

TEST_F(ControlMessagesTest, backends_replaces_the_list) {
  set_backends(R"(["b1","b2","b1"])");
  EXPECT_NE(answer("status").find(R"("name":"b2")"), std::string::npos);
  set_backends(R"(["b3"])");
  EXPECT_EQ(
      answer("status"),
      R"("backends":[{"name":"b3","health":"unknown","breaker":"closed","consecutive_failures":0,"opens":0}])");
  set_backends("[]");
  EXPECT_EQ(answer("status"), R"("backends":[])");
  EXPECT_EQ(answer("route"), kRefused);
}

TEST_F(ControlMessagesTest, a_backend_that_stays_keeps_its_state) {
  set_backends(R"(["b1","b2"])");
  open("b1");
  set_backends(R"(["b3","b1"])");
  EXPECT_EQ(report("b1", true), state("b1", "open", 5));
  set_backends(R"(["b3"])");
  set_backends(R"(["b1"])");
  EXPECT_EQ(report("b1", true), state("b1", "closed", 0)) << "one that went and came is new";
}

TEST_F(ControlMessagesTest, wrong_fields_are_error_12) {
  set_backends(R"(["b1"])");
  for (const std::string_view members :
       {"", R"(,"backends":"b1")", R"(,"backends":[1])", R"(,"backends":[""])",
        R"(,"backends":{"b1":1})", R"(,"backends":null)"}) {
    EXPECT_EQ(answer("backends", members), kMalformed) << members;
  }
  for (const std::string_view members :
       {"", R"(,"backend":"b1")", R"(,"success":true)", R"(,"backend":"b9","success":true)",
        R"(,"backend":1,"success":true)", R"(,"backend":"b1","success":1)",
        R"(,"backend":"b1","success":"true")", R"(,"backend":"b1","success":null)"}) {
    EXPECT_EQ(answer("report", members), kMalformed) << members;
  }
  for (const std::string_view members :
       {"", R"(,"ms":-1)", R"(,"ms":"1")", R"(,"ms":1.5)", R"(,"ms":86400001)",
        R"(,"ms":18446744073709551616)", R"(,"ms":null)"}) {
    EXPECT_EQ(answer("advance", members), kMalformed) << members;
  }
  EXPECT_EQ(advance(0), R"("now_ms":0)") << "and nothing has moved";
}

TEST_F(ControlMessagesTest, too_many_backends_are_error_12) {
  std::string list = "[\"b\"";
  for (size_t i = 0; i < ControlMessages::kBackendsMax; ++i) list += fmt::format(",\"b{}\"", i);
  EXPECT_EQ(answer("backends", fmt::format(R"(,"backends":{}])", list)), kMalformed);
}

TEST_F(ControlMessagesTest, messages_without_number_count_and_are_not_answered) {
  set_backends(R"(["b1"])");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(node.ask(from("c1", "report", R"(,"backend":"b1","success":false)")), Lines{});
  }
  EXPECT_EQ(node.ask(from("c1", "advance", R"(,"ms":30000)")), Lines{});
  EXPECT_EQ(answer("route"), routed("b1", true));
}

TEST_F(ControlMessagesTest, the_same_lines_give_the_same_answers) {
  const auto play = [] {
    Conversation other({.config = std::nullopt, .manual_clock = true});
    Lines all = other.ask(init_of(R"(["n1","n2","n3"])"));
    for (int i = 0; i < 40; ++i) {
      for (const std::string& line :
           {request("route", i), request("report", i, R"(,"backend":"n2","success":false)"),
            request("advance", i, R"(,"ms":1700)"), echo(i, "1")}) {
        for (std::string& reply : other.ask(line)) all.push_back(std::move(reply));
      }
    }
    return all;
  };
  EXPECT_EQ(play(), play());
}

TEST(ControlMessages, outside_manual_clock_there_is_no_advance) {
  Conversation node;
  node.ask(kInit);
  EXPECT_TRUE(is_error(node.ask(request("advance", 2, R"(,"ms":1)")), 10));
}

TEST(ControlMessages, a_key_goes_to_the_same_backend_where_the_policy_looks_at_clients) {
  Conversation node({.config = web_config(BalancePolicy::source_hash), .manual_clock = true});
  node.ask(kInit);
  std::map<std::string, std::set<std::string>> backends_of;
  std::set<std::string> all;
  for (int i = 0; i < 200; ++i) {
    for (const std::string key : {"1", "\"1\"", "2", "3", "4", "5", "6", "7", "null"}) {
      const std::string reply =
          node.ask(request("route", 2, fmt::format(R"(,"cluster":"web","key":{})", key))).front();
      const std::string backend = reply.substr(reply.find(R"("backend":")") + 11, 1);
      backends_of[key].insert(backend);
      all.insert(backend);
    }
  }
  for (const auto& [key, backends] : backends_of) EXPECT_EQ(backends.size(), 1U) << key;
  EXPECT_EQ(backends_of["1"], backends_of["\"1\""]);
  EXPECT_GT(all.size(), 1U);
}

TEST(ControlMessages, with_a_configuration_each_names_its_cluster) {
  Conversation node({.config = web_config(BalancePolicy::source_hash), .manual_clock = true});
  node.ask(kInit);
  for (const auto& [type, members] : {std::pair{"route", ""}, std::pair{"status", ""},
                                      std::pair{"backends", R"(,"backends":["a"])"},
                                      std::pair{"report", R"(,"backend":"a","success":true)"}}) {
    EXPECT_TRUE(is_error(node.ask(request(type, 2, members)), 12)) << type;
    const std::string named = fmt::format(R"({},"cluster":"web")", members);
    EXPECT_FALSE(is_error(node.ask(request(type, 2, named)), 12)) << type;
  }
}

}  // namespace
}  // namespace sluice
