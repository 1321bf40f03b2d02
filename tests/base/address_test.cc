#include "sluice/base/address.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using Kind = Address::Kind;

Address parse(std::string_view text) {
  const auto address = Address::parse(text);
  EXPECT_TRUE(address) << text << ": " << (address ? "" : address.error().message);
  return address.value_or(Address());
}

std::string error_of(std::string_view text) {
  const auto address = Address::parse(text);
  EXPECT_FALSE(address) << text;
  return address ? "" : address.error().message;
}

TEST(Address, reads_ipv4) {
  const Address address = parse("10.0.0.1:80");
  EXPECT_EQ(address.kind(), Kind::ipv4);
  EXPECT_TRUE(address.is_ip());
  EXPECT_EQ(address.port(), 80);
  EXPECT_EQ(address, Address::ipv4({10, 0, 0, 1}, 80));
}

TEST(Address, reads_ipv6_in_brackets) {
  const Address address = parse("[::1]:8080");
  EXPECT_EQ(address.kind(), Kind::ipv6);
  EXPECT_TRUE(address.is_ip());
  EXPECT_EQ(address, Address::ipv6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 8080));
}

TEST(Address, reads_a_numeric_scope) { EXPECT_EQ(parse("[fe80::1%2]:80").scope_id(), 2U); }

TEST(Address, reads_unix_paths_and_abstract_names) {
  EXPECT_EQ(parse("unix:/run/x.sock"), Address::unix_path("/run/x.sock"));
  EXPECT_EQ(parse("unix:@abstract"), Address::unix_abstract("abstract"));
  EXPECT_TRUE(parse("unix:@abstract").is_unix());
  EXPECT_EQ(parse("unix:a:b:80").text(), "a:b:80");
}

TEST(Address, reads_host_names) {
  const Address address = parse("host.example:80");
  EXPECT_TRUE(address.is_name());
  EXPECT_EQ(address.text(), "host.example");
  EXPECT_EQ(address.port(), 80);
}

TEST(Address, writes_what_it_reads) {
  for (const std::string_view text :
       {"10.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[::]:0", "[fe80::1%2]:80",
        "[2001:db8::7]:443", "host.example:80", "a_b-c.d:1", "unix:/run/x.sock",
        "unix:@abstract"}) {
    EXPECT_EQ(parse(text).to_string(), text);
    EXPECT_EQ(parse(parse(text).to_string()), parse(text));
  }
}

TEST(Address, host_string_has_no_port_and_no_brackets) {
  EXPECT_EQ(parse("10.0.0.1:80").host_string(), "10.0.0.1");
  EXPECT_EQ(parse("[fe80::1%2]:80").host_string(), "fe80::1%2");
  EXPECT_EQ(parse("host.example:80").host_string(), "host.example");
  EXPECT_EQ(parse("unix:@abstract").host_string(), "unix:@abstract");
}

TEST(Address, with_port_changes_only_the_port) {
  EXPECT_EQ(parse("[fe80::1%2]:80").with_port(81), parse("[fe80::1%2]:81"));
}

TEST(Address, differs_by_every_part) {
  EXPECT_NE(parse("10.0.0.1:80"), parse("10.0.0.1:81"));
  EXPECT_NE(parse("10.0.0.1:80"), parse("10.0.0.2:80"));
  EXPECT_NE(parse("[fe80::1%2]:80"), parse("[fe80::1]:80"));
  EXPECT_NE(parse("unix:a"), parse("unix:@a"));
}

TEST(Address, error_says_what_to_write_instead) {
  EXPECT_NE(error_of("10.0.0.1").find("host:port"), std::string::npos);
  EXPECT_NE(error_of("::1:80").find("brackets"), std::string::npos);
  EXPECT_NE(error_of("[::1]").find("[::1]:80"), std::string::npos);
  EXPECT_NE(error_of("*:80").find("0.0.0.0:80"), std::string::npos);
  EXPECT_NE(error_of("10.0.0.1:http").find("http"), std::string::npos);
}

TEST(Address, mistyped_ipv4_is_not_taken_for_a_name) {
  error_of("10.0.0.256:80");
  error_of("10.0.0:80");
  error_of("1:80");
}

TEST(Address, rejects_what_is_no_address) {
  for (const std::string_view text :
       {"", ":", ":80", "host:", "host:-1", "host:65536", "host:80 ", " host:80", "ho st:80",
        "host..example:80", ".host:80", "-host:80", "[::g]:80", "[::1%eth0]:80", "[::1%]:80",
        "[]:80", "unix:", "unix:@"}) {
    error_of(text);
  }
}

TEST(Address, unix_path_is_bounded_as_in_the_kernel) {
  const std::string longest(Address::kUnixPathMax, 'x');
  EXPECT_EQ(parse("unix:" + longest).text(), longest);
  EXPECT_NE(error_of("unix:" + longest + "x").find("107"), std::string::npos);
  EXPECT_EQ(parse("unix:@" + longest).text(), longest);
  error_of("unix:@" + longest + "x");
}

TEST(Address, rejects_a_nul_byte) {
  error_of(std::string_view("unix:a\0b", 8));
  error_of(std::string_view("ho\0st:80", 8));
  error_of(std::string_view("10.0.0.1\0:80", 12));
  error_of(std::string_view("[::1\0]:80", 9));
}

TEST(Address, loopback_is_what_no_other_host_reaches) {
  for (const std::string_view text :
       {"127.0.0.1:80", "127.255.0.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"}) {
    EXPECT_TRUE(parse(text).is_loopback()) << text;
  }
  for (const std::string_view text : {"0.0.0.0:80", "10.0.0.1:80", "128.0.0.1:80", "[::]:80",
                                      "[::2]:80", "[::ffff:10.0.0.1]:80", "unix:/x", "a:80"}) {
    EXPECT_FALSE(parse(text).is_loopback()) << text;
  }
}

}  // namespace
}  // namespace sluice
