#include "sluice/base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

constexpr int kFirst = 700;  // far from what anybody else has open

UniqueFd open_as(int number) {
  const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  return UniqueFd(::dup2(file.get(), number));
}

bool is_open(int number) { return ::fcntl(number, F_GETFD) >= 0; }

TEST(CloseBoth, closes_neighbours_in_either_order_and_nothing_beside_them) {
  for (const bool is_lower_first : {true, false}) {
    const UniqueFd before = open_as(kFirst);
    UniqueFd low = open_as(kFirst + 1);
    UniqueFd high = open_as(kFirst + 2);
    const UniqueFd after = open_as(kFirst + 3);
    close_both(is_lower_first ? low : high, is_lower_first ? high : low);
    EXPECT_FALSE(low || high);
    EXPECT_FALSE(is_open(kFirst + 1) || is_open(kFirst + 2));
    EXPECT_TRUE(is_open(kFirst) && is_open(kFirst + 3));
  }
}

TEST(CloseBoth, leaves_what_lies_between) {
  UniqueFd one = open_as(kFirst);
  const UniqueFd between = open_as(kFirst + 1);
  UniqueFd other = open_as(kFirst + 2);
  close_both(one, other);
  EXPECT_FALSE(is_open(kFirst) || is_open(kFirst + 2));
  EXPECT_TRUE(is_open(kFirst + 1));
}

TEST(CloseBoth, one_alone_or_none_will_do) {
  UniqueFd one = open_as(kFirst);
  UniqueFd none;
  close_both(none, one);
  EXPECT_FALSE(is_open(kFirst));
  close_both(none, one);
}

}  // namespace
}  // namespace sluice
