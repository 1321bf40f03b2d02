// The messages by which a harness drives the core, under a clock that it moves.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support.h"

namespace sluice {
namespace {

class ControlMessagesTest : public testing::Test {
 protected:
  ControlMessagesTest() { node.ask(kInit); }

  Lines ask(std::string_view type, std::string_view members = "") {
    return node.ask(request(type, 2, members));
  }
  // The answer's members behind its number.
  std::string answer(std::string_view type, std::string_view members = "") {
    const Lines lines = ask(type, members);
    if (lines.size() != 1) return fmt::format("{} lines", lines.size());
    const std::string& line = lines.front();
    const size_t at = line.find(R"("code":)");
    if (at != std::string::npos) return line.substr(at, line.find(',', at) - at);
    const size_t begin = line.find(',', line.find(R"("msg_id":)"));
    return begin == std::string::npos ? "" : line.substr(begin + 1, line.size() - begin - 3);
  }
  void set_backends(std::string_view list) {
    EXPECT_EQ(answer("backends", fmt::format(R"(,"backends":{})", list)), "");
  }
  std::string report(std::string_view backend, bool success) {
    return answer("report", fmt::format(R"(,"backend":"{}","success":{})", backend, success));
  }
  std::string advance(int64_t ms) { return answer("advance", fmt::format(R"(,"ms":{})", ms)); }
  void open(std::string_view backend) {
    for (int i = 0; i < 5; ++i) report(backend, false);
  }

  Conversation node{{.config = std::nullopt, .manual_clock = true}};
};

constexpr std::string_view kRefused = R"("code":11)";
constexpr std::string_view kMalformed = R"("code":12)";

std::string state(std::string_view backend, std::string_view breaker, int failures) {
  return fmt::format(R"("backend":"{}","state":"{}","consecutive_failures":{})", backend, breaker,
                     failures);
}

std::string routed(std::string_view backend, bool is_trial = false) {
  return fmt::format(R"("backend":"{}","trial":{})", backend, is_trial);
}

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

TEST_F(ControlMessagesTest, requests_go_elsewhere_while_a_circuit_is_open) {
  set_backends(R"(["b1","b2"])");
  open("b1");
  for (int i = 0; i < 6; ++i) EXPECT_EQ(answer("route"), routed("b2"));
}

TEST_F(ControlMessagesTest, a_success_in_between_starts_the_count_again) {
  set_backends(R"(["b1"])");
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(report("b1", false), state("b1", "closed", i));
  EXPECT_EQ(report("b1", true), state("b1", "closed", 0));
  for (int i = 1; i <= 4; ++i) EXPECT_EQ(report("b1", false), state("b1", "closed", i));
  EXPECT_EQ(report("b1", false), state("b1", "open", 5));
}

TEST_F(ControlMessagesTest, while_a_circuit_is_open_reports_change_nothing) {
  set_backends(R"(["b1"])");
  open("b1");
  EXPECT_EQ(report("b1", true), state("b1", "open", 5));
  EXPECT_EQ(report("b1", false), state("b1", "open", 5));
}

TEST_F(ControlMessagesTest, a_failed_trial_doubles_the_open_time) {
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

TEST_F(ControlMessagesTest, a_report_without_a_route_is_the_trial_itself) {
  set_backends(R"(["b1","b2"])");
  open("b1");
  open("b2");
  advance(30'000);
  EXPECT_EQ(report("b1", true), state("b1", "closed", 0));
  EXPECT_EQ(report("b2", false), state("b2", "open", 5));
}

TEST_F(ControlMessagesTest, a_trial_that_is_not_reported_fails_after_the_connect_timeout) {
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

TEST_F(ControlMessagesTest, a_trial_of_a_backend_that_has_gone_ends_in_silence) {
  set_backends(R"(["b1"])");
  open("b1");
  advance(30'000);
  EXPECT_EQ(answer("route"), routed("b1", true));
  set_backends(R"(["b2"])");
  const size_t changes = node.changes.size();
  EXPECT_EQ(advance(60'000), R"("now_ms":90000)");
  EXPECT_EQ(node.changes.size(), changes);
}

TEST_F(ControlMessagesTest, a_backend_turns_half_open_by_itself) {
  set_backends(R"(["b1"])");
  open("b1");
  advance(30'000);
  ASSERT_EQ(node.changes.size(), 2U);
  EXPECT_EQ(node.changes[1].to, "half_open");
  EXPECT_EQ(node.changes[1].at, TimePoint(std::chrono::seconds(30)));
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

Config hashing_config() {
  Config config;
  ClusterConfig cluster;
  cluster.name = "web";
  cluster.settings.balance.policy = BalancePolicy::source_hash;
  for (const std::string name : {"a", "b", "c", "d"}) {
    cluster.backends.push_back({.name = name,
                                .address = Address::ipv4({127, 0, 0, 1}, 80),
                                .health_check_port = std::nullopt});
  }
  config.clusters.push_back(std::move(cluster));
  return config;
}

TEST(ControlMessages, a_key_goes_to_the_same_backend_where_the_policy_looks_at_clients) {
  Conversation node({.config = hashing_config(), .manual_clock = true});
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
  Conversation node({.config = hashing_config(), .manual_clock = true});
  node.ask(kInit);
  for (const auto& [type, members] : {std::pair{"route", ""}, std::pair{"status", ""},
                                      std::pair{"backends", R"(,"backends":["a"])"},
                                      std::pair{"report", R"(,"backend":"a","success":true)"}}) {
    EXPECT_TRUE(is_error(node.ask(request(type, 2, members)), 12)) << type;
    const std::string named = fmt::format(R"({},"cluster":"web")", members);
    EXPECT_FALSE(is_error(node.ask(request(type, 2, named)), 12)) << type;
  }
}

// The cluster of a server in this process.
class ServedCluster : public testing::Test {
 protected:
  ServedCluster()
      : config(hashing_config()),
        cluster(std::make_shared<Cluster>(
            "web", [](const Transition&) {}, Random(1))) {
    config.clusters.front().settings.balance.policy = BalancePolicy::round_robin;
    serve({"a", "b"});
  }

  void serve(const std::vector<std::string>& names) {
    std::vector<BackendSettings> backends;
    for (const std::string& name : names) backends.push_back(named_backend(name));
    cluster->apply(config.clusters.front().settings, backends, Arrival::cold_start, TimePoint());
  }
  // The server of these tests, which takes each list at once and is through with it when told so.
  ServedClusters served() {
    const auto replace = [this](const std::string& name, std::vector<BackendConfig> backends,
                                std::function<void()> on_adopted) {
      EXPECT_EQ(name, "web");
      std::vector<BackendSettings> settings;
      for (const BackendConfig& backend : backends) {
        settings.push_back({.name = backend.name,
                            .address = backend.address,
                            .weight = backend.weight,
                            .health_check_port = std::nullopt});
      }
      cluster->apply(config.clusters.front().settings, settings, Arrival::later, kNow);
      given = std::move(backends);
      waiting.push_back(std::move(on_adopted));
    };
    return {.clusters = {cluster}, .replace_backends = replace};
  }
  std::unique_ptr<MaelstromNode> joined() {
    auto node = std::make_unique<MaelstromNode>(
        NodeOptions{.config = config}, [](const Transition&) {}, Random(1), served());
    MessageParser parser;
    node->receive(*parser.parse(kInit), kNow);
    node->outbox().lines.clear();
    return node;
  }
  static std::string ask(MaelstromNode& node, std::string_view type,
                         std::string_view members = "") {
    MessageParser parser;
    const std::string text = request(type, 2, fmt::format(R"(,"cluster":"web"{})", members));
    node.receive(*parser.parse(text), kNow);
    return std::exchange(node.outbox().lines, {});
  }
  // What is said when the server is through with all that it was given.
  std::string adopted(MaelstromNode& node) {
    for (const auto& on_adopted : std::exchange(waiting, {})) on_adopted();
    return std::exchange(node.outbox().lines, {});
  }

  Config config;
  std::shared_ptr<Cluster> cluster;
  std::vector<BackendConfig> given;  // the last list
  std::vector<std::function<void()>> waiting;
};

TEST_F(ServedCluster, is_told_of_and_reported_to_and_routed_by_as_it_is) {
  const auto node = joined();
  EXPECT_NE(ask(*node, "status").find(R"("name":"b")"), std::string::npos);
  for (int i = 0; i < 5; ++i) ask(*node, "report", R"(,"backend":"a","success":false)");
  EXPECT_EQ(cluster->find("a")->breaker().state(kNow), BreakerState::open);
  for (int i = 0; i < 4; ++i) {
    EXPECT_NE(ask(*node, "route").find(R"("backend":"b")"), std::string::npos);
  }
  serve({"c"});
  EXPECT_NE(ask(*node, "route").find(R"("backend":"c")"), std::string::npos)
      << "it changes without telling";
  EXPECT_EQ(cluster->active_connections(), 0U);
}

TEST_F(ServedCluster, another_list_is_answered_when_nobody_goes_by_the_old_one) {
  const auto node = joined();
  EXPECT_EQ(ask(*node, "backends", R"(,"backends":["127.0.0.1:81"])"), "");
  EXPECT_EQ(cluster->find("a"), nullptr);
  EXPECT_EQ(adopted(*node), replied("backends_ok", 2, 1) + "\n");
  EXPECT_NE(ask(*node, "route").find(R"("backend":"127.0.0.1:81")"), std::string::npos);
}

TEST_F(ServedCluster, member_of_a_list_is_one_of_the_configuration_or_of_the_list_or_an_address) {
  BackendConfig& configured = config.clusters.front().backends.emplace_back();
  configured.name = "far";
  configured.address = *Address::parse("far.example:80");
  configured.weight = 7;
  serve({"live"});
  const auto node = joined();
  ask(*node, "backends", R"(,"backends":["far","live","[::1]:5","near.example:9","unix:@x"])");
  ASSERT_EQ(given.size(), 5U);
  EXPECT_EQ(given[0].weight, 7U);
  EXPECT_TRUE(given[0].address.is_name());
  EXPECT_EQ(given[1].address, Address::unix_abstract("live")) << "as it was";
  EXPECT_EQ(given[2].address.to_string(), "[::1]:5");
  EXPECT_EQ(given[2].name, "[::1]:5");
  EXPECT_TRUE(given[3].address.is_name());
  EXPECT_TRUE(given[4].address.is_unix());
}

TEST_F(ServedCluster, list_with_a_member_that_is_nothing_is_error_12_and_changes_nothing) {
  const auto node = joined();
  for (const std::string_view name : {"x", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999"}) {
    const std::string said = ask(*node, "backends", fmt::format(R"(,"backends":["a","{}"])", name));
    EXPECT_NE(said.find(R"("code":12)"), std::string::npos) << said;
  }
  EXPECT_TRUE(given.empty());
  EXPECT_NE(cluster->find("b"), nullptr);
}

TEST_F(ServedCluster, list_that_the_server_is_not_through_with_is_answered_at_the_end) {
  const auto node = joined();
  ask(*node, "backends", R"(,"backends":["a"])");
  ask(*node, "backends", R"(,"backends":["b"])");
  node->end_input(kNow);
  EXPECT_EQ(std::exchange(node->outbox().lines, {}),
            replied("backends_ok", 2, 1) + "\n" + replied("backends_ok", 2, 2) + "\n");
  EXPECT_EQ(adopted(*node), "") << "once";
}

}  // namespace
}  // namespace sluice
