#include "sluice/net/local_ports.h"

#include <gtest/gtest.h>

#include <fstream>

#include "temporary_directory.h"

namespace sluice {
namespace {

constexpr TimePoint kStart{std::chrono::hours(1)};

class LocalPortsTest : public testing::Test {
 protected:
  void write(const std::string& text) const { std::ofstream(file) << text; }

  TemporaryDirectory directory;
  std::string file = directory.file("range");
  LocalPorts ports{file};
};

TEST_F(LocalPortsTest, holds_both_ends_of_the_range) {
  write("32768\t60999\n");
  EXPECT_FALSE(ports.may_be_picked(32767, kStart));
  EXPECT_TRUE(ports.may_be_picked(32768, kStart));
  EXPECT_TRUE(ports.may_be_picked(60999, kStart));
  EXPECT_FALSE(ports.may_be_picked(61000, kStart));
}

TEST_F(LocalPortsTest, changed_range_is_seen_a_minute_later) {
  write("32768 60999");
  EXPECT_FALSE(ports.may_be_picked(6379, kStart));
  write("1024 65535");
  EXPECT_FALSE(ports.may_be_picked(6379, kStart + LocalPorts::kLookInterval - Duration(1)));
  EXPECT_TRUE(ports.may_be_picked(6379, kStart + LocalPorts::kLookInterval));
}

TEST_F(LocalPortsTest, every_port_may_be_picked_when_the_range_cannot_be_read) {
  EXPECT_TRUE(ports.may_be_picked(1, kStart)) << "no such file";
  write("many ports");
  EXPECT_TRUE(ports.may_be_picked(1, kStart + LocalPorts::kLookInterval));
  EXPECT_TRUE(ports.may_be_picked(65535, kStart + LocalPorts::kLookInterval));
}

TEST(LocalPorts, range_of_this_kernel_holds_the_ports_it_picks) {
  LocalPorts ports;
  EXPECT_FALSE(ports.may_be_picked(1, kStart)) << "no kernel picks port 1 unless told to";
}

}  // namespace
}  // namespace sluice
