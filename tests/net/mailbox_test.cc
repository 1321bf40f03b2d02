#include "sluice/net/mailbox.h"

#include <gtest/gtest.h>

#include <string>

#include "waiting.h"

namespace sluice {
namespace {

TEST(Mailbox, tasks_run_on_the_loop_in_the_order_they_came) {
  Loop loop;
  Mailbox mailbox(loop);
  std::string order;
  for (const char letter : {'a', 'b', 'c'}) {
    mailbox.post([&order, letter] { order += letter; });
  }
  EXPECT_EQ(order, "") << "not in post()";
  ASSERT_TRUE(run_until(loop, [&] { return order.size() == 3; }));
  EXPECT_EQ(order, "abc");
}

TEST(Mailbox, task_posted_by_a_task_runs_after_it) {
  Loop loop;
  Mailbox mailbox(loop);
  std::string order;
  mailbox.post([&] {
    mailbox.post([&] { order += 'b'; });
    order += 'a';
  });
  ASSERT_TRUE(run_until(loop, [&] { return order.size() == 2; }));
  EXPECT_EQ(order, "ab");
}

TEST(Mailbox, owner_can_run_the_tasks_of_a_loop_that_stands_still) {
  Loop loop;
  Mailbox mailbox(loop);
  int runs = 0;
  mailbox.post([&] { ++runs; });
  mailbox.run_tasks();
  EXPECT_EQ(runs, 1);
  run_once(loop);
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace sluice
