#include "sluice/net/busy_poll.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

// Asks again every `work`, and uses up whatever is granted. The part of the time spent on looking.
double share_spent(BusyPoll& poll, Duration work, Duration in_all) {
  Duration looked{0};
  TimePoint now = kStart;
  while (now < kStart + in_all) {
    const Duration span = poll.grant(now);
    poll.spend(span);
    looked += span;
    now += span + work;
  }
  return static_cast<double>(looked.count()) / static_cast<double>((now - kStart).count());
}

TEST(BusyPoll, is_off_unless_asked_for) {
  BusyPoll poll{BusyPollOptions{}};
  EXPECT_EQ(poll.grant(kStart), 0us);
  EXPECT_EQ(poll.grant(kStart + 1h), 0us);
}

TEST(BusyPoll, never_takes_more_than_its_share) {
  for (const uint32_t percent : {1U, 20U, 50U, 90U}) {
    BusyPoll poll{{.is_enabled = true, .span = 50us, .cpu_percent_max = percent}};
    const double share = share_spent(poll, 1us, 10s);
    EXPECT_LE(share, percent / 100.0 + 0.002) << percent;
    EXPECT_GE(share, percent / 100.0 - 0.01) << percent;
  }
}

TEST(BusyPoll, looks_every_time_while_the_share_lasts) {
  BusyPoll poll{{.is_enabled = true, .span = 50us, .cpu_percent_max = 50}};
  // 50 of every 150 us: below the share.
  EXPECT_NEAR(share_spent(poll, 100us, 1s), 1.0 / 3, 0.001);
}

TEST(BusyPoll, whole_cpu_is_never_refused) {
  BusyPoll poll{{.is_enabled = true, .span = 50us, .cpu_percent_max = 100}};
  EXPECT_GT(share_spent(poll, 1us, 1s), 0.97);
}

TEST(BusyPoll, quiet_time_saves_up_no_more_than_the_bucket_holds) {
  BusyPoll poll{{.is_enabled = true, .span = 1ms, .cpu_percent_max = 10}};
  const TimePoint later = kStart + 1000h;
  Duration looked{0};
  for (Duration span = poll.grant(later); span > 0ms; span = poll.grant(later)) {
    poll.spend(span);
    looked += span;
    ASSERT_LE(looked, BusyPoll::kSavedMax);
  }
  EXPECT_EQ(looked, BusyPoll::kSavedMax);
}

TEST(BusyPoll, only_what_was_used_is_taken_out) {
  BusyPoll poll{{.is_enabled = true, .span = 10ms, .cpu_percent_max = 50}};
  ASSERT_EQ(poll.grant(kStart), 10ms);
  poll.spend(0ms);
  EXPECT_EQ(poll.grant(kStart), 10ms);
  poll.spend(1us);
  EXPECT_EQ(poll.grant(kStart), 0ms);
}

}  // namespace
}  // namespace sluice
