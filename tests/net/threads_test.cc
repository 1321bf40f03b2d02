// What threads share in net: the mailbox. Meant to be run under ThreadSanitizer too.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "sluice/net/mailbox.h"
#include "waiting.h"

namespace sluice {
namespace {

TEST(MailboxThreads, every_senders_tasks_arrive_once_and_in_its_order) {
  constexpr size_t kSenders = 8;
  constexpr uint32_t kTasks = 5'000;
  Loop loop;
  Mailbox mailbox(loop);
  std::array<uint32_t, kSenders> seen{};  // touched on the loop's thread only
  uint32_t out_of_order = 0;
  uint32_t all = 0;
  std::vector<std::thread> senders;
  for (size_t sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&, sender] {
      for (uint32_t number = 0; number < kTasks; ++number) {
        mailbox.post([&, sender, number] {
          if (seen[sender] != number) ++out_of_order;
          ++seen[sender];
          ++all;
        });
      }
    });
  }
  EXPECT_TRUE(run_until(
      loop, [&] { return all == kSenders * kTasks; }, std::chrono::seconds(60)));
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(all, kSenders * kTasks);
  EXPECT_EQ(out_of_order, 0U);
}

TEST(MailboxThreads, loop_that_blocks_is_woken) {
  Loop loop;
  Mailbox mailbox(loop);
  std::thread runner([&] { loop.run(); });
  for (int i = 0; i < 1000; ++i) {
    bool has_run = false;
    std::mutex mutex;
    mailbox.post([&] {
      const std::scoped_lock lock(mutex);
      has_run = true;
    });
    EXPECT_TRUE(wait_until([&] {
      const std::scoped_lock lock(mutex);
      return has_run;
    }));
  }
  mailbox.post([&] { loop.stop(); });
  runner.join();
}

}  // namespace
}  // namespace sluice
