// A cluster's list of backends in a running process: replaced, with host names in it or without.
#include "sluice/control/cluster_control.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "waiting.h"

namespace sluice {
namespace {

class ClusterControlTest : public testing::Test {
 protected:
  ClusterControlTest()
      : log_(UniqueFd(::open("/dev/null", O_WRONLY | O_CLOEXEC)), Log::Options{}),
        process_log_(log_) {}

  static BackendConfig backend(std::string_view address, std::string_view name = "") {
    BackendConfig config;
    config.name = name.empty() ? address : name;
    config.address = *Address::parse(address);
    return config;
  }

  void make(std::vector<BackendConfig> backends) {
    ClusterConfig config;
    config.name = "web";
    config.backends = std::move(backends);
    control_ = std::make_unique<ClusterControl>(
        loop_, resolver_, process_log_, config, [](const Transition&) {}, Random(1),
        [this](ClusterControl&) { ++changes_; });
    control_->start_resolving();
  }

  std::shared_ptr<Backend> find(std::string_view name) { return control_->cluster()->find(name); }
  std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const BackendSettings& settings : control_->backends()) names.push_back(settings.name);
    return names;
  }
  bool answers() {
    return run_until(loop_, [&] { return !control_->is_resolving(); });
  }

  Loop loop_;
  Resolver resolver_{loop_};
  Log log_;
  ProcessLog process_log_;
  std::unique_ptr<ClusterControl> control_;
  int changes_ = 0;
};

using Names = std::vector<std::string>;

TEST_F(ClusterControlTest, who_stays_in_the_list_is_the_same_backend_and_who_comes_arrives_later) {
  make({backend("127.0.0.1:1"), backend("127.0.0.1:2")});
  const auto kept = find("127.0.0.1:2");
  kept->count_connect(ConnectOutcome::refused);
  control_->replace_backends({backend("127.0.0.1:3"), backend("127.0.0.1:2")});
  EXPECT_EQ(changes_, 1);
  EXPECT_EQ(names(), (Names{"127.0.0.1:3", "127.0.0.1:2"}));
  EXPECT_EQ(find("127.0.0.1:2"), kept);
  EXPECT_EQ(kept->connects(ConnectOutcome::refused), 1U);
  EXPECT_EQ(kept->arrival(), Arrival::cold_start);
  EXPECT_EQ(find("127.0.0.1:3")->arrival(), Arrival::later);
  EXPECT_EQ(find("127.0.0.1:1"), nullptr);
  EXPECT_EQ(control_->config().backends.size(), 2U) << "as it is now";
}

TEST_F(ClusterControlTest, name_at_another_address_is_another_backend) {
  make({backend("127.0.0.1:1", "one")});
  const auto before = find("one");
  control_->replace_backends({backend("127.0.0.1:2", "one")});
  EXPECT_NE(find("one"), before);
  EXPECT_EQ(find("one")->address().port(), 2U);
}

TEST_F(ClusterControlTest, weight_of_one_that_stays_is_the_new_lists) {
  make({backend("127.0.0.1:1")});
  BackendConfig heavier = backend("127.0.0.1:1");
  heavier.weight = 9;
  const auto before = find("127.0.0.1:1");
  control_->replace_backends({heavier});
  EXPECT_EQ(before->weight(), 9U);
}

TEST_F(ClusterControlTest, list_may_become_empty_and_come_back) {
  make({backend("127.0.0.1:1")});
  control_->replace_backends({});
  EXPECT_EQ(names(), Names{});
  control_->replace_backends({backend("127.0.0.1:1")});
  EXPECT_EQ(names(), Names{"127.0.0.1:1"});
}

TEST_F(ClusterControlTest, host_name_that_comes_is_asked_for_and_there_when_it_is_answered) {
  make({backend("127.0.0.1:1")});
  control_->replace_backends({backend("127.0.0.1:1"), backend("localhost:80")});
  EXPECT_EQ(names(), Names{"127.0.0.1:1"});
  ASSERT_TRUE(answers());
  ASSERT_GT(names().size(), 1U);
  EXPECT_EQ(names()[1].substr(0, 13), "localhost:80/");
  EXPECT_EQ(find(names()[1])->arrival(), Arrival::later);
}

TEST_F(ClusterControlTest, host_name_that_stays_keeps_its_backends_all_the_while) {
  make({backend("localhost:80")});
  ASSERT_TRUE(answers());
  const Names before = names();
  ASSERT_FALSE(before.empty());
  const auto kept = find(before.front());
  control_->replace_backends({backend("localhost:80"), backend("127.0.0.1:1")});
  EXPECT_EQ(find(before.front()), kept);
  EXPECT_FALSE(control_->is_resolving()) << "nobody asks again";
}

TEST_F(ClusterControlTest, answer_for_a_name_that_has_gone_changes_nothing) {
  make({backend("localhost:80")});
  control_->replace_backends({backend("127.0.0.1:1")});
  EXPECT_FALSE(control_->is_resolving());
  const int changes = changes_;
  ASSERT_TRUE(run_until(loop_, [&] { return !resolver_.is_busy(); }));
  EXPECT_EQ(names(), Names{"127.0.0.1:1"});
  EXPECT_EQ(changes_, changes);
}

TEST_F(ClusterControlTest, address_that_is_in_the_list_under_the_same_name_is_there_once) {
  make({backend("localhost:80")});
  ASSERT_TRUE(answers());
  const Names before = names();
  const auto kept = find(before.front());
  control_->replace_backends(
      {backend("localhost:80"), backend(kept->address().to_string(), before.front())});
  const Names after = names();
  EXPECT_EQ(std::count(after.begin(), after.end(), before.front()), 1);
  EXPECT_EQ(find(before.front()), kept);
}

}  // namespace
}  // namespace sluice
