#include "sluice/core/flap_penalty.h"

#include "support.h"

namespace sluice {
namespace {

constexpr Duration kSpan = seconds(30);

class FlapPenaltyTest : public ::testing::Test {
 protected:
  void good_signs(uint32_t count, TimePoint at) {
    for (uint32_t i = 0; i < count; ++i) penalty.good_sign(at, kSpan);
  }

  FlapPenalty penalty;
};

TEST_F(FlapPenaltyTest, first_opening_is_not_doubled_and_each_one_doubles_the_next) {
  for (uint32_t i = 0; i < 5; ++i) {
    EXPECT_EQ(penalty.doublings(), i);
    penalty.opened();
  }
}

TEST_F(FlapPenaltyTest, doublings_have_an_end) {
  for (int i = 0; i < 1000; ++i) penalty.opened();
  EXPECT_EQ(penalty.doublings(), FlapPenalty::kDoublingsMax);
}

TEST_F(FlapPenaltyTest, enough_good_signs_over_the_span_take_one_back) {
  penalty.opened();
  penalty.opened();
  good_signs(FlapPenalty::kProofs - 1, kStart);
  penalty.good_sign(kStart + kSpan, kSpan);
  EXPECT_EQ(penalty.doublings(), 1U);
  good_signs(FlapPenalty::kProofs - 1, kStart + kSpan);
  EXPECT_EQ(penalty.doublings(), 1U) << "the next row begins anew";
  penalty.good_sign(kStart + 2 * kSpan, kSpan);
  EXPECT_EQ(penalty.doublings(), 0U);
}

TEST_F(FlapPenaltyTest, many_good_signs_in_a_short_time_take_nothing_back) {
  penalty.opened();
  good_signs(10'000, kStart);
  good_signs(10'000, kStart + kSpan - milliseconds(1));
  EXPECT_EQ(penalty.doublings(), 1U);
  good_signs(1, kStart + kSpan);
  EXPECT_EQ(penalty.doublings(), 0U);
}

TEST_F(FlapPenaltyTest, time_alone_takes_nothing_back) {
  penalty.opened();
  good_signs(1, kStart);
  good_signs(FlapPenalty::kProofs - 2, kStart + std::chrono::hours(1000));
  EXPECT_EQ(penalty.doublings(), 1U);
}

TEST_F(FlapPenaltyTest, bad_sign_begins_the_row_anew) {
  penalty.opened();
  good_signs(FlapPenalty::kProofs - 1, kStart);
  penalty.break_row();
  good_signs(FlapPenalty::kProofs - 1, kStart + kSpan);
  EXPECT_EQ(penalty.doublings(), 1U);
  good_signs(1, kStart + 2 * kSpan - milliseconds(1));
  EXPECT_EQ(penalty.doublings(), 1U) << "the row has not lasted since it began anew";
  good_signs(1, kStart + 2 * kSpan);
  EXPECT_EQ(penalty.doublings(), 0U);
}

TEST_F(FlapPenaltyTest, forgotten_is_as_new) {
  penalty.opened();
  penalty.forget();
  EXPECT_EQ(penalty.doublings(), 0U);
}

}  // namespace
}  // namespace sluice
