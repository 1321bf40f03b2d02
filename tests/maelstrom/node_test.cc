#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "support.h"

namespace sluice {
namespace {

TEST(MaelstromNode, the_documented_lines_match_byte_for_byte) {
  EXPECT_EQ(Conversation().ask(kInit), Lines{std::string(kInitOk)});
}

TEST(MaelstromNode, its_name_comes_from_the_init_whoever_it_was_addressed_to) {
  Conversation node;
  EXPECT_EQ(
      node.ask(
          R"({"src":"c0","dest":"?","body":{"type":"init","msg_id":0,"node_id":"é\"","node_ids":[]}})"),
      Lines{R"({"src":"é\"","dest":"c0","body":{"type":"init_ok","in_reply_to":0,"msg_id":0}})"});
}

TEST(MaelstromNode, before_init_everything_else_is_error_11) {
  for (const std::string_view type : {"echo", "status", "topology", "no_such_type"}) {
    Conversation node;
    EXPECT_EQ(node.ask(request(type, 2)),
              Lines{error(2, 11, "not initialised yet: the first message must be an init", 0)});
    EXPECT_EQ(node.ask(kInit).size(), 1U) << "and an init is still welcome";
  }
}

TEST(MaelstromNode, an_init_without_what_it_needs_is_error_12_and_the_next_one_counts) {
  Conversation node;
  for (const std::string_view members :
       {"", R"(,"node_id":"n1")", R"(,"node_ids":["n1"])", R"(,"node_id":1,"node_ids":["n1"])",
        R"(,"node_id":"","node_ids":["n1"])", R"(,"node_id":"n1","node_ids":"n1")",
        R"(,"node_id":"n1","node_ids":[1])", R"(,"node_id":"n1","node_ids":["n1",""])",
        R"(,"node_id":"n1","node_ids":{})"}) {
    EXPECT_TRUE(is_error(node.ask(request("init", 2, members)), 12)) << members;
  }
  EXPECT_TRUE(is_error(node.ask(request("echo", 2, R"(,"echo":1)")), 11));
  EXPECT_EQ(node.ask(kInit).size(), 1U);
}

TEST(MaelstromNode, the_length_of_a_name_is_bounded) {
  Conversation node;
  const std::string name(kNameBytesMax, 'n'), longer = name + "n";
  const auto init = [&](std::string_view id, std::string_view other) {
    return node.ask(
        request("init", 2, fmt::format(R"(,"node_id":"{}","node_ids":["n1","{}"])", id, other)));
  };
  EXPECT_TRUE(is_error(init(longer, "n2"), 12));
  EXPECT_TRUE(is_error(init("n1", longer), 12));
  EXPECT_EQ(init("n1", name), Lines{replied("init_ok", 2, 2)});
}

TEST(MaelstromNode, the_number_of_nodes_is_bounded) {
  std::string ids = "\"n1\"";
  for (size_t i = 0; i < MaelstromNode::kNodesMax; ++i) ids += fmt::format(",\"m{}\"", i);
  Conversation node;
  EXPECT_TRUE(is_error(
      node.ask(request("init", 2, fmt::format(R"(,"node_id":"n1","node_ids":[{}])", ids))), 12));
}

TEST_F(InitialisedNode, a_second_init_is_error_12) {
  EXPECT_TRUE(is_error(node.ask(request("init", 2, R"(,"node_id":"n1","node_ids":["n1"])")), 12));
  EXPECT_TRUE(is_error(node.ask(request("init", 2)), 12));
}

TEST_F(InitialisedNode, an_echo_comes_back_as_it_went) {
  int number = 1;
  for (const std::string_view payload :
       {"null", "false", "-1.50", "18446744073709551616", "1e999", R"("a\u0000\"}{é😀\ud83d\ude00")",
        R"([1,[2,{"":[]}]])", R"({"type":"init","msg_id":7,"b":{}})"}) {
    EXPECT_EQ(node.ask(echo(number + 100, payload)), Lines{echo_ok(number + 100, number, payload)});
    ++number;
  }
}

TEST_F(InitialisedNode, pretty_printed_input_is_answered_on_one_line) {
  EXPECT_EQ(
      node.ask("{\n \"src\": \"c1\",\n \"dest\": \"n1\",\n \"body\":\n {\n  \"type\": \"echo\",\n"
               "  \"msg_id\": 2,\n  \"echo\": [\n   {\n    \"a b\": 1\n   },\n   {}\n  ]\n }\n}\n"),
      Lines{echo_ok(2, 1, R"([{"a b":1},{}])")});
  EXPECT_EQ(node.complaints, Lines{});
}

TEST_F(InitialisedNode, an_echo_without_payload_is_error_12) {
  EXPECT_TRUE(is_error(node.ask(request("echo", 2)), 12));
}

TEST_F(InitialisedNode, a_topology_is_acknowledged) {
  const Lines ok{
      R"({"src":"n1","dest":"c1","body":{"type":"topology_ok","in_reply_to":2,"msg_id":1}})"};
  EXPECT_EQ(node.ask(request("topology", 2, R"(,"topology":{"n1":["n2"]})")), ok);
  EXPECT_EQ(node.ask(request("topology", 2)).size(), 1U);
  EXPECT_TRUE(is_error(node.ask(request("topology", 2, R"(,"topology":[])")), 12));
}

TEST_F(InitialisedNode, an_unknown_type_is_error_10) {
  EXPECT_EQ(node.ask(request("no_such_type", 4)),
            Lines{error(4, 10, R"(type \"no_such_type\" is not supported)", 1)});
}

TEST_F(InitialisedNode, a_body_without_type_is_error_12) {
  for (const std::string_view body : {R"({"msg_id":2})", R"({"msg_id":2,"type":7})"}) {
    EXPECT_TRUE(
        is_error(node.ask(fmt::format(R"({{"src":"c1","dest":"n1","body":{}}})", body)), 12));
  }
}

TEST_F(InitialisedNode, a_long_unknown_type_is_not_repeated_in_full) {
  const Lines replies = node.ask(request(std::string(100'000, 'x'), 2));
  ASSERT_TRUE(is_error(replies, 10));
  EXPECT_LT(replies[0].size(), 300U);
}

TEST_F(InitialisedNode, a_message_without_msg_id_gets_no_reply) {
  for (const std::string_view body : {R"({"type":"echo","echo":1})", R"({"type":"no_such_type"})",
                                      R"({})", R"({"type":"init"})"}) {
    EXPECT_EQ(node.ask(fmt::format(R"({{"src":"c1","dest":"n1","body":{}}})", body)), Lines{});
  }
  EXPECT_EQ(node.ask(echo(2, "1")), Lines{echo_ok(2, 1, "1")}) << "and takes no number";
}

TEST(MaelstromNode, an_init_without_msg_id_counts) {
  Conversation node;
  EXPECT_EQ(
      node.ask(R"({"src":"c0","dest":"n1","body":{"type":"init","node_id":"n1","node_ids":[]}})"),
      Lines{});
  EXPECT_EQ(node.ask(echo(2, "1")), Lines{echo_ok(2, 0, "1")});
}

TEST_F(InitialisedNode, a_reply_nobody_waits_for_is_not_answered) {
  EXPECT_EQ(node.ask(request("echo_ok", 2, R"(,"in_reply_to":9,"echo":1)")), Lines{});
  EXPECT_EQ(node.ask(request("error", 2, R"(,"in_reply_to":9,"code":10,"text":"")")), Lines{});
  EXPECT_EQ(node.complaints, Lines{});
}

TEST_F(InitialisedNode, what_is_addressed_to_another_node_is_told_and_not_answered) {
  EXPECT_EQ(node.ask(R"({"src":"c1","dest":"n2","body":{"type":"echo","msg_id":2,"echo":1}})"),
            Lines{});
  EXPECT_EQ(node.complaints, Lines{R"(addressed to "n2", but this is node "n1": not answered)"});
}

TEST_F(InitialisedNode, a_name_longer_than_anybodys_is_told_and_not_answered) {
  EXPECT_EQ(node.ask(from(std::string(2000, 'c'), "echo", R"(,"msg_id":2,"echo":1)")), Lines{});
  EXPECT_EQ(node.complaints, Lines{"a name of more than 1024 bytes: not answered"});
}

TEST_F(InitialisedNode, every_message_it_sends_has_the_next_number_errors_too) {
  EXPECT_EQ(node.ask(echo(9, "1") + request("x", 8) + echo(7, "2")),
            (Lines{echo_ok(9, 1, "1"), error(8, 10, R"(type \"x\" is not supported)", 2),
                   echo_ok(7, 3, "2")}));
}

TEST_F(InitialisedNode, status_of_a_node_without_peers_is_an_empty_list) {
  EXPECT_EQ(
      node.ask(request("status", 2)),
      Lines{
          R"({"src":"n1","dest":"c1","body":{"type":"status_ok","in_reply_to":2,"msg_id":1,"backends":[]}})"});
}

std::string closed_backend(std::string_view name) {
  return fmt::format(
      R"({{"name":"{}","health":"unknown","breaker":"closed","consecutive_failures":0,"opens":0}})",
      name);
}

std::string status_ok(int msg_id, std::string_view backends) {
  return fmt::format(
      R"({{"src":"n1","dest":"c1","body":{{"type":"status_ok","in_reply_to":2,"msg_id":{},"backends":[{}]}}}})",
      msg_id, backends);
}

TEST(MaelstromNode, status_tells_of_each_peer_once_in_the_order_given) {
  Conversation node;
  node.ask(request("init", 1, R"(,"node_id":"n1","node_ids":["n3","n1","n2","n3"])"));
  EXPECT_EQ(node.ask(request("status", 2)).front(),
            status_ok(1, closed_backend("n3") + "," + closed_backend("n2")));
}

Config config_of_two_clusters() {
  Config config;
  for (const std::string name : {"web", "db"}) {
    ClusterConfig cluster;
    cluster.name = name;
    cluster.backends.push_back({.name = name + "1",
                                .address = Address::ipv4({127, 0, 0, 1}, 80),
                                .health_check_port = std::nullopt});
    config.clusters.push_back(std::move(cluster));
  }
  return config;
}

TEST(MaelstromNode, with_a_configuration_status_names_its_cluster) {
  Conversation node({.config = config_of_two_clusters()});
  node.ask(kInit);
  EXPECT_EQ(node.ask(request("status", 2, R"(,"cluster":"db")")),
            Lines{status_ok(1, closed_backend("db1"))});
  EXPECT_TRUE(is_error(node.ask(request("status", 2)), 12));
  EXPECT_TRUE(is_error(node.ask(request("status", 2, R"(,"cluster":"dc")")), 12));
}

TEST(MaelstromNode, with_a_configuration_the_peers_are_a_cluster_too) {
  Conversation node({.config = config_of_two_clusters()});
  node.ask(init_of(R"(["n1","n2"])"));
  EXPECT_EQ(node.ask(request("status", 2, R"(,"cluster":"peers")")).front(),
            status_ok(1, closed_backend("n2")));
}

TEST(MaelstromNode, without_one_a_cluster_is_an_extra_key) {
  Conversation node;
  node.ask(kInit);
  EXPECT_EQ(node.ask(request("status", 2, R"(,"cluster":"dc")")), Lines{status_ok(1, "")});
}

}  // namespace
}  // namespace sluice
