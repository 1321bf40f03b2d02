#include "sluice/net/loop_lag.h"

#include <gtest/gtest.h>

#include <thread>

#include "waiting.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

constexpr Duration kShort = milliseconds(10);
constexpr Duration kStall = milliseconds(200);

class LoopLagTest : public testing::Test {
 protected:
  // What a slow callback does to everything else on the loop.
  void stall() {
    Timer slow(loop, [] { std::this_thread::sleep_for(kStall); });
    slow.start(kShort / 2);
    EXPECT_TRUE(run_until(loop, [&] { return lag.worst() >= kStall / 2; }));
  }

  Loop loop;
  bool is_busy = true;
  LoopLag lag{loop, [this] { return is_busy; }, kShort};
};

TEST_F(LoopLagTest, a_stall_is_seen_with_its_length_and_forgotten_after_a_while) {
  lag.watch();
  stall();
  EXPECT_LT(lag.worst(), 3 * kStall);
  EXPECT_TRUE(run_until(loop, [&] { return lag.worst() < kStall / 2; }));
}

TEST_F(LoopLagTest, an_idle_loop_is_left_asleep_and_says_nothing_of_what_was) {
  lag.watch();
  stall();
  is_busy = false;
  loop.run();  // until nothing is left to wait for
  EXPECT_EQ(lag.worst(), Duration::zero());
}

TEST_F(LoopLagTest, it_measures_again_when_asked_to) {
  is_busy = false;
  lag.watch();
  loop.run();
  is_busy = true;
  lag.watch();
  stall();
}

}  // namespace
}  // namespace sluice
