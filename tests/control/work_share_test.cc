// A part of a loop and its share of the time.
#include "admin/work_share.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{std::chrono::hours(1)};
constexpr Duration kNothing = Duration::zero();

TEST(work_share, what_was_saved_up_may_be_spent_at_once) {
  WorkShare share(50);
  EXPECT_EQ(share.spend(milliseconds(50), kStart), kNothing);
  EXPECT_EQ(share.spend(milliseconds(10), kStart), milliseconds(20));
}

TEST(work_share, a_quiet_time_saves_up_no_more_than_its_bound) {
  WorkShare share(50);
  EXPECT_EQ(share.spend(milliseconds(50), kStart), kNothing);
  EXPECT_EQ(share.spend(milliseconds(50), kStart + seconds(3600)), kNothing);
  EXPECT_EQ(share.spend(milliseconds(1), kStart + seconds(3600)), milliseconds(2));
}

TEST(work_share, whoever_rests_as_it_is_told_has_its_share_and_no_more) {
  for (const unsigned percent : {1U, 10U, 50U, 100U}) {
    WorkShare share(percent);
    TimePoint now = kStart;
    Duration worked{0};
    while (now - kStart < seconds(100)) {
      const Duration took = milliseconds(3);
      now += took;
      worked += took;
      now += share.spend(took, now);
    }
    const auto of_all =
        static_cast<double>(worked.count()) / static_cast<double>((now - kStart).count());
    EXPECT_NEAR(of_all, percent / 100.0, 0.01) << percent;
  }
}

TEST(work_share, who_works_less_than_its_share_never_rests) {
  WorkShare share(50);
  for (int i = 1; i < 10'000; ++i) {
    EXPECT_EQ(share.spend(milliseconds(4), kStart + i * milliseconds(10)), kNothing);
  }
}

}  // namespace
}  // namespace sluice
