// What the admin API shows of clusters and their backends.
#include "admin/admin_views.h"

#include <gtest/gtest.h>
#include <simdjson.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "sluice/base/log.h"
#include "sluice/net/resolver.h"

namespace sluice {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using std::chrono::seconds;

class AdminViewsTest : public testing::Test {
 protected:
  AdminViewsTest() { make_cluster({}); }

  void make_cluster(const ClusterConfig& base) {
    ClusterConfig config = base;
    config.name = "web";
    config.settings.circuit_breaker.jitter = 0;
    for (uint8_t i = 1; i <= 2; ++i) {
      BackendConfig backend;
      backend.address = Address::ipv4({10, 0, 0, i}, 80);
      backend.name = "b" + std::to_string(i);
      config.backends.push_back(backend);
    }
    clusters_.clear();
    clusters_.push_back(std::make_unique<ClusterControl>(
        loop_, resolver_, process_log_, config, [](const Transition&) {}, Random(1),
        [](ClusterControl&) {}));
  }

  Cluster& cluster() { return *clusters_[0]->cluster(); }
  Backend& backend() { return *cluster().find("b1"); }
  TimePoint now() { return loop_.now(); }

  element cluster_shown() {
    text_ = render_clusters(clusters_, {now() + later, WallTime(seconds(1'000'000'000)) + later});
    return parser_.parse(text_)["clusters"].at(0);
  }
  element shown() { return cluster_shown()["backends"].at(0); }
  static std::string text(element value) { return std::string(std::string_view(value)); }
  std::vector<std::string> left_out_by() {
    std::vector<std::string> causes;
    for (const element cause : array(shown()["left_out_by"])) causes.push_back(text(cause));
    return causes;
  }
  std::vector<uint64_t> numbers(std::string_view of_connect_times) {
    std::vector<uint64_t> values;
    for (const element value : array(shown()["connect_ms"][of_connect_times])) {
      values.push_back(uint64_t(value));
    }
    return values;
  }
  void fail_first_probe() {
    cluster().record_probe(
        backend(), {.began_at = now(), .passed = false, .result = "refused", .permit = {}}, now());
  }

  std::chrono::milliseconds later{0};

 private:
  Loop loop_;
  Resolver resolver_{loop_};
  Log log_{UniqueFd(::dup(STDERR_FILENO)), {.level = LogLevel::error}};
  ProcessLog process_log_{log_};
  ClusterControls clusters_;
  std::string text_;
  simdjson::dom::parser parser_;
};

using Causes = std::vector<std::string>;

TEST_F(AdminViewsTest, a_backend_that_is_well_is_available_and_left_out_by_nothing) {
  EXPECT_TRUE(bool(shown()["available"]));
  EXPECT_EQ(left_out_by(), Causes{});
  EXPECT_EQ(text(shown()["name"]), "b1");
  EXPECT_EQ(text(shown()["address"]), "10.0.0.1:80");
  EXPECT_TRUE(shown()["breaker"]["retry_at"].is_null());
  EXPECT_TRUE(shown()["breaker"]["ejected_by"].is_null());
}

TEST_F(AdminViewsTest, the_three_causes_are_told_apart_and_none_hides_another) {
  cluster().set_admin_state(backend(), AdminState::draining, now());
  EXPECT_EQ(left_out_by(), Causes{"administrative"});
  fail_first_probe();
  EXPECT_EQ(left_out_by(), (Causes{"administrative", "health"}));
  cluster().trip(backend(), now());
  EXPECT_EQ(left_out_by(), (Causes{"administrative", "health", "breaker"}));
  cluster().set_admin_state(backend(), AdminState::ready, now());
  cluster().set_weight(backend(), 0, now());
  EXPECT_EQ(left_out_by(), (Causes{"health", "breaker", "weight"}));
  EXPECT_FALSE(bool(shown()["available"]));
  EXPECT_EQ(text(shown()["administrative"]["state"]), "ready");
  EXPECT_EQ(text(shown()["administrative"]["configured"]), "ready");
  EXPECT_EQ(text(shown()["health"]["state"]), "unhealthy");
  EXPECT_EQ(int64_t(shown()["weight"]), 0);
  EXPECT_EQ(int64_t(shown()["configured_weight"]), 1);
}

TEST_F(AdminViewsTest, an_open_breaker_counts_down_to_its_trial) {
  cluster().trip(backend(), now());
  EXPECT_EQ(text(shown()["breaker"]["state"]), "open");
  EXPECT_EQ(int64_t(shown()["breaker"]["retry_in_ms"]), 30'000);
  EXPECT_EQ(text(shown()["breaker"]["retry_at"]), "2001-09-09T01:47:10.000Z");
  EXPECT_EQ(int64_t(shown()["breaker"]["opens"]), 1);
  later = seconds(10);
  EXPECT_EQ(int64_t(shown()["breaker"]["retry_in_ms"]), 20'000);
  EXPECT_EQ(text(shown()["breaker"]["retry_at"]), "2001-09-09T01:47:10.000Z");
  later = seconds(30);
  EXPECT_EQ(text(shown()["breaker"]["state"]), "half_open");
  EXPECT_TRUE(shown()["breaker"]["retry_in_ms"].is_null());
}

TEST_F(AdminViewsTest, what_is_off_is_said_to_be_off) {
  ClusterConfig config;
  config.health_check.reset();
  config.settings.has_probes = false;
  config.settings.circuit_breaker.is_enabled = false;
  make_cluster(config);
  EXPECT_FALSE(bool(shown()["health"]["probes"]));
  EXPECT_FALSE(bool(shown()["breaker"]["enabled"]));
}

TEST_F(AdminViewsTest, panic_lets_an_unhealthy_one_in_and_a_limit_keeps_one_out) {
  ClusterConfig config;
  config.settings.panic_threshold = 100;
  config.settings.limits.of_backend = 1;
  make_cluster(config);
  fail_first_probe();
  EXPECT_TRUE(bool(cluster_shown()["priorities"].at(0)["in_panic"]));
  EXPECT_EQ(left_out_by(), Causes{});
  backend().add_connection();
  EXPECT_EQ(left_out_by(), Causes{"limit"});
  EXPECT_EQ(int64_t(shown()["active_connections"]), 1);
  backend().remove_connection();
}

TEST_F(AdminViewsTest, traffic_is_shown_and_connect_times_once_there_are_some) {
  EXPECT_EQ(int64_t(shown()["received_bytes"]), 0);
  EXPECT_TRUE(shown()["connect_ms"]["p50"].is_null());
  EXPECT_TRUE(shown()["connect_ms"]["p99"].is_null());
  backend().tally(0).received.add(3);
  backend().tally(0).sent.add(4);
  for (int i = 0; i < 98; ++i) backend().tally(0).connect_ms.add(1);
  for (int i = 0; i < 2; ++i) backend().tally(0).connect_ms.add(2000);
  EXPECT_EQ(int64_t(shown()["received_bytes"]), 3);
  EXPECT_EQ(int64_t(shown()["sent_bytes"]), 4);
  EXPECT_LE(double(shown()["connect_ms"]["p50"]), 1);
  EXPECT_EQ(double(shown()["connect_ms"]["p99"]), 1500);
}

TEST_F(AdminViewsTest, connect_times_are_told_bucket_by_bucket_each_with_those_below) {
  for (const uint64_t ms : {0U, 1U, 2U, 40U, 9000U}) backend().tally(0).connect_ms.add(ms);
  EXPECT_EQ(numbers("bounds"),
            (std::vector<uint64_t>{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000}));
  EXPECT_EQ(numbers("cumulative"), (std::vector<uint64_t>{2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 5}))
      << "the last one is all of them, also those above every bound";
}

TEST_F(AdminViewsTest, a_transition_is_an_event_with_times_of_the_day) {
  const AdminTime time{now(), WallTime(seconds(1'000'000'000))};
  const Transition transition{.kind = Transition::Kind::breaker,
                              .cluster = "web",
                              .backend = "b\"1",
                              .from = "closed",
                              .to = "open",
                              .why = "5 failures",
                              .at = now() - seconds(1),
                              .retry_at = now() + seconds(30)};
  EXPECT_EQ(render_transition(transition, time),
            R"({"time":"2001-09-09T01:46:39.000Z","kind":"breaker","cluster":"web",)"
            R"("backend":"b\"1","from":"closed","to":"open","why":"5 failures",)"
            R"("retry_at":"2001-09-09T01:47:10.000Z"})");
}

}  // namespace
}  // namespace sluice
