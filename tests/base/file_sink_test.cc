#include "sluice/base/file_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include "pipe.h"

namespace sluice {
namespace {

using Clock = std::chrono::steady_clock;

class FileSinkTest : public testing::Test {
 protected:
  FileSinkTest() { std::signal(SIGPIPE, SIG_IGN); }

  static void wait_for_bytes(const UniqueFd& reader) {
    pollfd readable{.fd = reader.get(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&readable, 1, 10'000), 1);
  }
  // More than a pipe holds.
  static std::string many_lines() {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += "line\n";
    return text;
  }
};

TEST_F(FileSinkTest, writes_everything_to_a_reader_that_takes_its_time) {
  auto [reader, writer] = make_pipe();
  std::string text;
  std::thread slow([&, &end = reader] { text = read_all(end); });
  {
    FileSink sink(std::move(writer));
    sink.write(many_lines(), LogLevel::info);
    EXPECT_EQ(sink.loss().lines, 0U);
  }
  slow.join();
  EXPECT_EQ(text, many_lines());
}

TEST_F(FileSinkTest, full_disk_loses_lines_and_is_named) {
  FileSink sink(UniqueFd(::open("/dev/full", O_WRONLY | O_CLOEXEC)));
  sink.write("one\ntwo\n", LogLevel::info);
  EXPECT_EQ(sink.loss().lines, 2U);
  EXPECT_EQ(sink.loss().error, ENOSPC);
}

TEST_F(FileSinkTest, reader_that_is_gone_loses_lines_and_is_named) {
  auto [reader, writer] = make_pipe();
  reader.reset();
  FileSink sink(std::move(writer));
  sink.write("one\n", LogLevel::info);
  EXPECT_EQ(sink.loss().lines, 1U);
  EXPECT_EQ(sink.loss().error, EPIPE);
}

TEST_F(FileSinkTest, one_that_hurries_does_not_wait_for_a_reader_that_hangs) {
  auto [reader, writer] = make_pipe();
  FileSink sink(std::move(writer));
  const auto began = Clock::now();
  sink.hurry();
  for (int i = 0; i < 10; ++i) sink.write(many_lines(), LogLevel::info);
  EXPECT_LT(Clock::now() - began, 5 * FileSink::kHurriedWaitMax) << "all of them together";
  EXPECT_GT(sink.loss().lines, 0U);
  EXPECT_EQ(sink.loss().error, ETIMEDOUT);
}

TEST_F(FileSinkTest, writer_that_already_waits_can_be_hurried) {
  auto [reader, writer] = make_pipe();
  FileSink sink(std::move(writer));
  std::thread waits([&] { sink.write(many_lines(), LogLevel::info); });
  wait_for_bytes(reader);
  sink.hurry();
  waits.join();
  EXPECT_GT(sink.loss().lines, 0U);
}

TEST_F(FileSinkTest, replacement_frees_a_writer_from_a_reader_that_hangs) {
  auto [hung_reader, hung_writer] = make_pipe();
  auto [reader, writer] = make_pipe();
  {
    FileSink sink(std::move(hung_writer));
    std::thread waits([&] { sink.write(many_lines(), LogLevel::info); });
    wait_for_bytes(hung_reader);
    sink.replace(std::move(writer));
    waits.join();
    sink.write("after\n", LogLevel::info);
  }
  const std::string text = read_all(reader);
  EXPECT_TRUE(text.ends_with("after\n")) << text.size();
}

TEST_F(FileSinkTest, replaced_descriptor_is_closed_at_once_when_nothing_is_being_written) {
  auto [old_reader, old_writer] = make_pipe();
  auto [reader, writer] = make_pipe();
  FileSink sink(std::move(old_writer));
  sink.write("before\n", LogLevel::info);
  sink.replace(std::move(writer));
  EXPECT_EQ(read_all(old_reader), "before\n") << "ends, because nobody holds it open";
}

TEST_F(FileSinkTest, line_that_was_written_in_part_does_not_swallow_the_next_one) {
  auto [reader, writer] = make_pipe();
  {
    FileSink sink(std::move(writer));
    sink.hurry();
    sink.write(std::string(200'000, 'x') + "\n", LogLevel::info);
    EXPECT_EQ(sink.loss().lines, 1U);
    std::array<char, 65536> chunk{};
    ASSERT_EQ(::read(reader.get(), chunk.data(), chunk.size()), ssize_t{65536});
    sink.write("next\nlast\n", LogLevel::info);
    EXPECT_EQ(sink.loss().lines, 1U);
  }
  EXPECT_EQ(read_all(reader), "\nnext\nlast\n");
}

TEST_F(FileSinkTest, new_file_does_not_begin_with_the_end_of_a_line_in_the_old_one) {
  auto [old_reader, old_writer] = make_pipe();
  auto [reader, writer] = make_pipe();
  {
    FileSink sink(std::move(old_writer));
    sink.hurry();
    sink.write(std::string(200'000, 'x') + "\n", LogLevel::info);
    sink.replace(std::move(writer));
    sink.write("next\n", LogLevel::info);
  }
  EXPECT_EQ(read_all(reader), "next\n");
}

}  // namespace
}  // namespace sluice
