#include "sluice/net/pipe_pool.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <memory>
#include <vector>

#include "open_files.h"

namespace sluice {
namespace {

TEST(PipePool, gives_out_no_more_than_its_bound) {
  PipePool pool(2);
  auto first = pool.acquire();
  auto second = pool.acquire();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(pool.pipes(), 2U);
  EXPECT_FALSE(pool.acquire());
  pool.give_back(std::move(first));
  EXPECT_EQ(pool.pipes(), 2U);
  EXPECT_TRUE(pool.acquire());
}

TEST(PipePool, gives_the_same_pipe_out_again) {
  PipePool pool(8);
  auto pipe = pool.acquire();
  const Pipe* const address = pipe.get();
  pool.give_back(std::move(pipe));
  pipe = pool.acquire();
  EXPECT_EQ(pipe.get(), address);
  EXPECT_EQ(pool.pipes(), 1U);
}

TEST(PipePool, discarded_pipe_is_closed_and_makes_room) {
  const size_t files = count_open_files();
  PipePool pool(1);
  pool.discard(pool.acquire());
  EXPECT_EQ(pool.pipes(), 0U);
  EXPECT_EQ(count_open_files(), files);
  EXPECT_TRUE(pool.acquire());
}

TEST(PipePool, keeps_only_a_few_idle_ones) {
  const size_t files = count_open_files();
  {
    PipePool pool(100);
    std::vector<std::unique_ptr<Pipe>> pipes;
    for (size_t i = 0; i < PipePool::kIdlePipesMax + 10; ++i) pipes.push_back(pool.acquire());
    for (auto& pipe : pipes) pool.give_back(std::move(pipe));
    EXPECT_EQ(pool.pipes(), PipePool::kIdlePipesMax);
    EXPECT_EQ(count_open_files(), files + 2 * PipePool::kIdlePipesMax);
  }
  EXPECT_EQ(count_open_files(), files);
}

TEST(PipePool, pipes_do_not_block_are_not_inherited_and_are_large) {
  PipePool pool(1);
  const auto pipe = pool.acquire();
  ASSERT_TRUE(pipe);
  for (const int fd : {pipe->read_end.get(), pipe->write_end.get()}) {
    EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_GE(::fcntl(fd, F_GETPIPE_SZ), PipePool::kPipeBytesMin);
  }
}

TEST(PipePool, lack_of_descriptors_means_no_pipe_and_leaks_none) {
  PipePool pool(4);
  const size_t files = count_open_files();
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  // Room for one descriptor more, and a pipe needs two.
  const UniqueFd lowest(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  rlimit short_of{.rlim_cur = static_cast<rlim_t>(lowest.get()) + 2, .rlim_max = usual.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &short_of), 0);
  EXPECT_FALSE(pool.acquire());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
  EXPECT_EQ(pool.pipes(), 0U);
  EXPECT_EQ(count_open_files(), files + 1);
  EXPECT_TRUE(pool.acquire());
}

}  // namespace
}  // namespace sluice
