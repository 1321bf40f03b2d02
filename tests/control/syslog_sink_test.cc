#include "sluice/control/syslog_sink.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "sluice/base/log.h"
#include "sluice/net/socket_address.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// A daemon that reads when it is told to.
class Daemon {
 public:
  explicit Daemon(const Address& address)
      : fd_(::socket(SocketAddress(address).family(), SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const SocketAddress where(address);
    EXPECT_EQ(::bind(fd_.get(), where.data(), where.size()), 0);
  }
  Address address() const { return local_address(fd_.get()); }

  // The next datagram; nothing when none comes.
  std::optional<std::string> read(int within_ms = 5000) {
    pollfd readable{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, within_ms) != 1) return std::nullopt;
    std::array<char, 65536> buffer{};
    const ssize_t bytes = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    return std::string(buffer.data(), static_cast<size_t>(bytes));
  }

 private:
  UniqueFd fd_;
};

class SyslogSinkTest : public testing::Test {
 protected:
  SyslogSinkTest() {
    std::string pattern = (fs::temp_directory_path() / "sluice-test-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    path_ = directory_ / "log";
    options_.address = Address::unix_path(path_);
  }
  ~SyslogSinkTest() override { fs::remove_all(directory_); }

  std::unique_ptr<SyslogSink> open() {
    auto sink = SyslogSink::open(options_);
    EXPECT_TRUE(sink) << sink.error().message;
    return std::move(*sink);
  }

  // What a line is behind its head.
  static std::string body(const std::optional<std::string>& frame) {
    return frame ? frame->substr(frame->find("]: ") + 3) : "(nothing came)";
  }

  fs::path directory_;
  std::string path_;
  SyslogOptions options_;
};

TEST_F(SyslogSinkTest, each_line_is_a_datagram) {
  Daemon daemon(options_.address);
  const auto sink = open();
  sink->write("one\ntwo\n", LogLevel::info);
  sink->write("three\n", LogLevel::error);
  const auto first = daemon.read();
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->starts_with("<30>")) << *first;
  EXPECT_NE(first->find(" sluice[" + std::to_string(::getpid()) + "]: one"), std::string::npos);
  EXPECT_EQ(body(daemon.read()), "two");
  const auto third = daemon.read();
  EXPECT_EQ(body(third), "three");
  EXPECT_TRUE(third->starts_with("<27>")) << *third;
  EXPECT_EQ(sink->loss().lines, 0U);
}

TEST_F(SyslogSinkTest, lines_of_a_log_have_their_own_severity) {
  Daemon daemon(options_.address);
  {
    Log log(open(), {});
    log.warning("x", "warn");
    log.error("x", "err");
  }
  EXPECT_TRUE(daemon.read().value_or("").starts_with("<28>"));
  EXPECT_TRUE(daemon.read().value_or("").starts_with("<27>"));
}

TEST_F(SyslogSinkTest, where_nobody_listens_is_an_error_that_says_what_to_do) {
  const auto sink = SyslogSink::open(options_);
  ASSERT_FALSE(sink);
  EXPECT_NE(sink.error().message.find("cannot reach a syslog daemon at unix:" + path_ +
                                      ": No such file or directory; start it first"),
            std::string::npos)
      << sink.error().message;
}

TEST_F(SyslogSinkTest, daemon_that_restarts_misses_nothing) {
  std::optional<Daemon> daemon(options_.address);
  const auto sink = open();
  sink->write("before\n", LogLevel::info);
  EXPECT_EQ(body(daemon->read()), "before");
  daemon.reset();
  fs::remove(path_);
  std::thread writer([&] { sink->write("meanwhile\nafter\n", LogLevel::info); });
  daemon.emplace(options_.address);
  EXPECT_EQ(body(daemon->read()), "meanwhile");
  EXPECT_EQ(body(daemon->read()), "after");
  writer.join();
  EXPECT_EQ(sink->loss().lines, 0U);
}

TEST_F(SyslogSinkTest, daemon_that_does_not_read_keeps_only_the_writer_waiting) {
  Daemon daemon(options_.address);
  const auto sink = open();
  constexpr int kLines = 3000;  // more than net.unix.max_dgram_qlen
  std::thread writer([&] {
    for (int i = 0; i < kLines; ++i) sink->write(std::to_string(i) + "\n", LogLevel::info);
  });
  for (int i = 0; i < kLines; ++i) ASSERT_EQ(body(daemon.read()), std::to_string(i));
  writer.join();
  EXPECT_EQ(sink->loss().lines, 0U);
}

TEST_F(SyslogSinkTest, one_that_hurries_waits_for_no_daemon) {
  std::optional<Daemon> daemon(options_.address);
  const auto sink = open();
  daemon.reset();
  sink->hurry();
  const auto began = Clock::now();
  for (int i = 0; i < 10; ++i) sink->write("one\ntwo\n", LogLevel::info);
  EXPECT_LT(Clock::now() - began, 5 * LogSink::kHurriedWaitMax) << "all of them together";
  EXPECT_EQ(sink->loss().lines, 20U);
  EXPECT_EQ(sink->loss().error, ECONNREFUSED);
}

TEST_F(SyslogSinkTest, full_daemon_is_given_up_by_one_that_hurries) {
  Daemon daemon(options_.address);
  const auto sink = open();
  sink->hurry();
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "line\n";
  sink->write(text, LogLevel::info);
  EXPECT_GT(sink->loss().lines, 0U);
  EXPECT_LT(sink->loss().lines, 3000U);
  EXPECT_EQ(sink->loss().error, ETIMEDOUT);
}

TEST_F(SyslogSinkTest, line_that_is_too_long_for_a_datagram_comes_cut) {
  Daemon daemon(options_.address);
  const auto sink = open();
  sink->write(std::string(1'000'000, 'x') + "\nnext\n", LogLevel::info);
  EXPECT_TRUE(body(daemon.read()).ends_with("xxx..."));
  EXPECT_EQ(body(daemon.read()), "next");
  EXPECT_EQ(sink->loss().lines, 0U);
}

TEST_F(SyslogSinkTest, over_udp_lines_come_as_rfc_5424_says) {
  Daemon daemon(Address::ipv4({127, 0, 0, 1}, 0));
  options_.address = daemon.address();
  const auto sink = open();
  sink->write("one\n", LogLevel::info);
  const std::string frame = daemon.read().value_or("");
  EXPECT_TRUE(frame.starts_with("<30>1 20")) << frame;
  EXPECT_TRUE(frame.ends_with(" sluice " + std::to_string(::getpid()) + " - - one")) << frame;
}

TEST_F(SyslogSinkTest, over_udp_nobody_waits_and_what_is_known_to_be_lost_is_counted) {
  {
    Daemon daemon(Address::ipv4({127, 0, 0, 1}, 0));
    options_.address = daemon.address();
  }
  const auto sink = open();
  const auto began = Clock::now();
  for (int i = 0; i < 100; ++i) sink->write("line\n", LogLevel::info);
  EXPECT_LT(Clock::now() - began, std::chrono::seconds(5));
  EXPECT_GE(sink->loss().lines, 90U) << "of the last one the answer has not been seen";
  EXPECT_LE(sink->loss().lines, 100U);
  EXPECT_EQ(sink->loss().error, ECONNREFUSED);
}

}  // namespace
}  // namespace sluice
