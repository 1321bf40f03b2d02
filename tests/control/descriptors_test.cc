#include "sluice/control/descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>

namespace sluice {
namespace {

namespace fs = std::filesystem;

class DescriptorsTest : public testing::Test {
 protected:
  DescriptorsTest() {
    std::string pattern = (fs::temp_directory_path() / "sluice-test-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~DescriptorsTest() override { fs::remove_all(directory_); }

  fs::path directory_;
  Descriptors descriptors_;
};

TEST_F(DescriptorsTest, a_log_is_appended_to_and_not_readable_by_others) {
  const std::string path = directory_ / "access.log";
  std::ofstream(path) << "old\n";
  fs::remove(path);
  auto fd = descriptors_.open_log(path);
  ASSERT_TRUE(fd);
  ASSERT_EQ(::write(fd->get(), "one\n", 4), 4);
  auto again = descriptors_.open_log(path);
  ASSERT_TRUE(again);
  ASSERT_EQ(::write(again->get(), "two\n", 4), 4);
  EXPECT_EQ(*read_file(path, 100), "one\ntwo\n");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0007U, 0U);
}

TEST_F(DescriptorsTest, a_log_that_cannot_be_opened_says_where_and_what_to_do) {
  const auto fd = descriptors_.open_log(directory_ / "missing" / "access.log");
  ASSERT_FALSE(fd);
  EXPECT_NE(fd.error().message.find("missing/access.log"), std::string::npos);
  EXPECT_NE(fd.error().message.find("check that the directory exists"), std::string::npos);
}

// What stdout is for as long as this lives.
class StandOut {
 public:
  explicit StandOut(int fd) : kept_(::dup(STDOUT_FILENO)) { ::dup2(fd, STDOUT_FILENO); }
  ~StandOut() { ::dup2(kept_.get(), STDOUT_FILENO); }
  StandOut(const StandOut&) = delete;
  StandOut& operator=(const StandOut&) = delete;

 private:
  UniqueFd kept_;
};

TEST_F(DescriptorsTest, standard_stream_that_is_a_socket_is_written_to_by_all_its_names) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  const std::string link = directory_ / "access.log";
  fs::create_symlink("/dev/stdout", link);
  const StandOut out(writer.get());
  ASSERT_EQ(::open("/dev/stdout", O_WRONLY | O_APPEND), -1) << "it cannot be opened";
  for (const std::string& name :
       {std::string("stdout"), std::string("/dev/stdout"), std::string("/proc/self/fd/1"), link}) {
    EXPECT_TRUE(leads_to_standard_stream(name)) << name;
    auto fd = descriptors_.open_log(name);
    ASSERT_TRUE(fd) << name << ": " << fd.error().message;
    ASSERT_EQ(::write(fd->get(), "x", 1), 1);
    char byte = 0;
    EXPECT_EQ(::read(reader.get(), &byte, 1), 1) << name;
  }
}

TEST_F(DescriptorsTest, file_that_stdout_was_sent_to_is_a_file_to_rotate) {
  const std::string path = directory_ / "out.log";
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_TRUE(file);
  const StandOut out(file.get());
  EXPECT_FALSE(leads_to_standard_stream(path));
  EXPECT_TRUE(leads_to_standard_stream("/dev/stdout"));
  EXPECT_FALSE(leads_to_standard_stream(directory_ / "none"));
}

TEST_F(DescriptorsTest, fifo_without_a_reader_is_an_error_and_not_a_wait) {
  const std::string path = directory_ / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto fd = descriptors_.open_log(path);
  ASSERT_FALSE(fd);
  EXPECT_NE(fd.error().message.find("nobody reads from it"), std::string::npos)
      << fd.error().message;
}

TEST_F(DescriptorsTest, socket_files_it_made_are_removed_at_the_end) {
  const std::string path = directory_ / "front.sock";
  ASSERT_TRUE(descriptors_.open_listener(Address::unix_path(path), 2, ListenOptions{}));
  EXPECT_TRUE(fs::exists(path));
  descriptors_.remove_socket_files();
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(DescriptorsTest, a_socket_file_of_somebody_else_is_left_alone) {
  const std::string path = directory_ / "front.sock";
  Descriptors other;
  ASSERT_TRUE(other.open_listener(Address::unix_path(path), 1, ListenOptions{}));
  // Closed without removal: stale. A plain file in its place is not ours to remove.
  fs::remove(path);
  std::ofstream(path) << "a file";
  EXPECT_FALSE(descriptors_.open_listener(Address::unix_path(path), 1, ListenOptions{}));
  descriptors_.remove_socket_files();
  EXPECT_TRUE(fs::exists(path));
}

TEST_F(DescriptorsTest, a_file_that_is_too_large_is_refused) {
  const std::string path = directory_ / "big";
  std::ofstream(path) << std::string(1000, 'x');
  EXPECT_TRUE(read_file(path, 1000));
  EXPECT_FALSE(read_file(path, 999));
  EXPECT_FALSE(read_file(directory_ / "none", 999));
}

}  // namespace
}  // namespace sluice
