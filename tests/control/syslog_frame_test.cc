#include "syslog_frame.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace sluice {
namespace {

class SyslogFrameTest : public testing::Test {
 protected:
  SyslogFrameTest() {
    ::setenv("TZ", "EST5", 1);
    ::tzset();
  }
  ~SyslogFrameTest() override {
    ::unsetenv("TZ");
    ::tzset();
  }

  std::string frame(std::string_view line, LogLevel level = LogLevel::info) const {
    return frame_syslog(options, origin, level, now, line);
  }

  SyslogOptions options;
  SyslogOrigin origin{.host = "lb1", .process = 4711};
  WallTime now = WallTime(std::chrono::milliseconds(1'769'860'800'123));  // 2026-01-31 12:00 UTC
};

TEST_F(SyslogFrameTest, unix_socket_gets_what_syslog_3_writes) {
  EXPECT_EQ(frame("all well"), "<30>Jan 31 07:00:00 sluice[4711]: all well");
  now -= std::chrono::hours(24 * 30);
  EXPECT_EQ(frame("x"), "<30>Jan  1 07:00:00 sluice[4711]: x") << "the day in two places";
}

TEST_F(SyslogFrameTest, ip_address_gets_what_rfc_5424_says) {
  options.address = Address::ipv4({127, 0, 0, 1}, 514);
  EXPECT_EQ(frame("all well"), "<30>1 2026-01-31T12:00:00.123Z lb1 sluice 4711 - - all well");
  origin.host.clear();
  EXPECT_EQ(frame("x"), "<30>1 2026-01-31T12:00:00.123Z - sluice 4711 - - x");
}

TEST_F(SyslogFrameTest, priority_is_of_facility_and_level) {
  options.tag = "lb";
  options.facility = SyslogFacility::local0;
  EXPECT_TRUE(frame("x", LogLevel::debug).starts_with("<135>")) << "16 * 8 + 7";
  EXPECT_TRUE(frame("x", LogLevel::info).starts_with("<134>"));
  EXPECT_TRUE(frame("x", LogLevel::warning).starts_with("<132>"));
  EXPECT_TRUE(frame("x", LogLevel::error).starts_with("<131>"));
  options.facility = SyslogFacility::local7;
  EXPECT_TRUE(frame("x", LogLevel::error).starts_with("<187>")) << "23 * 8 + 3";
  options.facility = SyslogFacility::ftp;
  EXPECT_TRUE(frame("x", LogLevel::error).starts_with("<91>")) << "11 * 8 + 3";
}

TEST_F(SyslogFrameTest, long_line_is_cut_between_characters_and_says_so) {
  const size_t head = frame("").size();
  EXPECT_EQ(frame(std::string(kSyslogBytesMax - head, 'x')).back(), 'x') << "just fits";
  const std::string cut = frame(std::string(kSyslogBytesMax - head + 1, 'x'));
  EXPECT_EQ(cut.size(), kSyslogBytesMax);
  EXPECT_TRUE(cut.ends_with("xxx..."));
  std::string accents;
  for (size_t i = 0; i < kSyslogBytesMax; ++i) accents += "\xc3\xa9";
  for (const char* before : {"", "x"}) {
    std::string text = frame(before + accents);
    ASSERT_TRUE(text.ends_with("\xc3\xa9...")) << "no half of a character";
    EXPECT_GE(text.size(), kSyslogBytesMax - 1);
  }
}

}  // namespace
}  // namespace sluice
