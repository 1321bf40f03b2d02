// Open descriptors, counted without keeping the loop from its work.
#include "metrics/open_fds.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "sluice/base/unique_fd.h"
#include "waiting.h"

namespace sluice {
namespace {

std::optional<uint64_t> say_nothing() { return std::nullopt; }

bool end_counting(Loop& loop) {
  return run_until(loop, [&] { return loop.raw()->active_reqs.count == 0; });
}

TEST(open_fds, a_kernel_that_says_it_is_believed_at_once) {
  Loop loop;
  OpenFds fds(loop, []() -> std::optional<uint64_t> { return 42; });
  EXPECT_EQ(fds.count(), 42U);
}

TEST(open_fds, of_an_old_kernel_they_are_counted_at_the_start_and_not_for_everyone_who_asks) {
  Loop loop;
  OpenFds fds(loop, &say_nothing);
  const uint64_t before = fds.count();
  EXPECT_GE(before, 3U);
  const UniqueFd one_more(::dup(STDERR_FILENO));
  EXPECT_EQ(fds.count(), before);
}

TEST(open_fds, an_old_count_is_renewed_beside_the_loop) {
  Loop loop;
  OpenFds fds(loop, &say_nothing, Duration::zero());
  const uint64_t before = fds.count();
  const UniqueFd one_more(::dup(STDERR_FILENO));
  EXPECT_TRUE(run_until(loop, [&] { return fds.count() == before + 1; }));
  EXPECT_TRUE(end_counting(loop));
}

TEST(open_fds, it_may_go_while_it_counts) {
  Loop loop;
  {
    OpenFds fds(loop, &say_nothing, Duration::zero());
    fds.count();
  }
  EXPECT_TRUE(end_counting(loop));
}

}  // namespace
}  // namespace sluice
