// Control messages about the cluster of a server in this process.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support.h"

namespace sluice {
namespace {

class ServedCluster : public testing::Test {
 protected:
  ServedCluster()
      : cluster(std::make_shared<Cluster>(
            "web", [](const Transition&) {}, Random(1))) {
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

  Config config = web_config(BalancePolicy::round_robin);
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
