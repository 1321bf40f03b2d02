#include "sluice/control/machine_limits.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

DescriptorNeeds usual_needs() {
  return {.limit = 20000,
          .open = 20,
          .workers = 2,
          .listening_sockets = 2,
          .backends = 3,
          .has_admin = false,
          .max_connections = {}};
}

// Everything the plan lets happen at once, in descriptors.
uint64_t spent(const DescriptorNeeds& needs, const DescriptorPlan& plan) {
  return needs.open + needs.listening_sockets + needs.backends +
         2 * uint64_t{plan.connections_max} + 2 * uint64_t{plan.pipes_max} +
         plan.admin_connections_max;
}

TEST(machine_limits, automatic_limit_is_half_of_what_the_reserve_leaves) {
  const auto plan = plan_descriptors(usual_needs());
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->pipes_max, 256U);
  EXPECT_GT(plan->connections_max, 9500U);
  EXPECT_LE(spent(usual_needs(), *plan), 20000U);
}

TEST(machine_limits, a_plan_never_exceeds_the_limit_of_open_files) {
  for (const bool has_admin : {false, true}) {
    for (uint64_t limit = 40; limit < 5000; ++limit) {
      DescriptorNeeds needs = usual_needs();
      needs.limit = limit;
      needs.has_admin = has_admin;
      const auto plan = plan_descriptors(needs);
      if (plan) {
        EXPECT_LE(spent(needs, *plan), limit);
      }
    }
  }
}

TEST(machine_limits, the_admin_side_has_descriptors_of_its_own_when_there_is_one) {
  DescriptorNeeds needs = usual_needs();
  const auto without = plan_descriptors(needs);
  EXPECT_EQ(without->admin_connections_max, 0U);
  needs.has_admin = true;
  const auto with = plan_descriptors(needs);
  EXPECT_EQ(with->admin_connections_max, 256U);
  EXPECT_LT(with->connections_max, without->connections_max - 128);
  needs.limit = 128;
  const auto few = plan_descriptors(needs);
  ASSERT_TRUE(few) << few.error().message;
  EXPECT_GE(few->admin_connections_max, 4U);
  EXPECT_LE(few->admin_connections_max, 12U);
}

TEST(machine_limits, sixty_four_descriptors_are_enough_to_start_with) {
  DescriptorNeeds needs = usual_needs();
  needs.limit = 64;
  needs.open = 16;
  const auto plan = plan_descriptors(needs);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_GE(plan->connections_max, 4U);
}

TEST(machine_limits, too_few_descriptors_are_an_error_that_names_the_limit_to_raise) {
  DescriptorNeeds needs = usual_needs();
  needs.limit = 40;
  const auto plan = plan_descriptors(needs);
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().message.find("limit of open files, 40"), std::string::npos);
}

TEST(machine_limits, the_advised_limit_is_one_that_works) {
  DescriptorNeeds needs = usual_needs();
  needs.max_connections = 50000;
  const auto refused = plan_descriptors(needs);
  ASSERT_FALSE(refused);
  const std::string& message = refused.error().message;
  const std::string marker = "at least ";
  needs.limit = std::stoull(message.substr(message.find(marker) + marker.size()));
  const auto plan = plan_descriptors(needs);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->connections_max, 50000U);
}

TEST(machine_limits, this_machine_has_processors_and_a_backlog) {
  EXPECT_GE(usable_processors(), 1U);
  EXPECT_GE(listen_backlog_max(), 1U);
  EXPECT_GE(open_descriptors(), 3U);
}

}  // namespace
}  // namespace sluice
