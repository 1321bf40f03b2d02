// What the head of a request may be.
#include "admin/http_head.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {
namespace {

HttpRequest request_with(HttpHeaders headers) {
  return {.method = "POST",
          .target = "/api/drain",
          .headers = std::move(headers),
          .peer = Address::ipv4({127, 0, 0, 1}, 5000),
          .local = Address::ipv4({127, 0, 0, 1}, 9901)};
}

unsigned status(const HttpRequest& request, const HttpLimits& limits = {}) {
  const auto refusal = refuse_head(request, limits);
  return refusal ? refusal->status : 200;
}

unsigned status_with(std::string name, std::string value) {
  return status(request_with({{"Host", "a"}, {std::move(name), std::move(value)}}));
}

TEST(http_head, a_plain_head_passes) {
  EXPECT_EQ(status(request_with({{"Host", "a"}})), 200U);
  EXPECT_EQ(status_with("Content-Length", "0"), 200U);
  EXPECT_EQ(status_with("content-length", "65536"), 200U);
  EXPECT_EQ(status_with("X-Odd.Name_1~", "tab\there, and \xC3\xBC"), 200U);
  EXPECT_EQ(status_with("X-Empty", ""), 200U);
}

TEST(http_head, what_something_is_decided_by_comes_once_at_most) {
  for (const std::string_view name : {"Host", "Origin", "Authorization", "Content-Length",
                                      "Sec-Fetch-Site", "Sec-Fetch-Mode", "Last-Event-ID"}) {
    std::string other(name);
    for (char& c : other) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    const HttpRequest twice = request_with({{"Host", "a"}, {std::string(name), "1"}, {other, "1"}});
    EXPECT_EQ(status(twice), 400U) << name;
  }
  EXPECT_EQ(status(request_with({{"Host", "a"}, {"Accept", "a"}, {"Accept", "b"}})), 200U);
}

TEST(http_head, a_host_is_needed_since_http_1_1) {
  HttpRequest request = request_with({});
  EXPECT_EQ(status(request), 400U);
  request.version = "HTTP/1.9";
  EXPECT_EQ(status(request), 400U);
  request.version = "HTTP/1.0";
  EXPECT_EQ(status(request), 200U);
}

TEST(http_head, names_are_words_and_values_have_no_control_characters) {
  for (const std::string_view name : {"", "Host ", " X", "X\tY", "X:Y", "X\"", "\xC3\xBC", "(x)"}) {
    EXPECT_EQ(status_with(std::string(name), "1"), 400U) << name;
  }
  for (const std::string& value :
       {std::string("a\rb"), std::string("a\nb"), std::string("a\0b", 3), std::string("\x7F")}) {
    EXPECT_EQ(status_with("X", value), 400U) << value;
  }
  HttpRequest request = request_with({{"Host", "a"}});
  for (const std::string_view method : {"", "GE T", "G\x01", "GET:"}) {
    request.method = method;
    EXPECT_EQ(status(request), 400U) << method;
  }
}

TEST(http_head, a_target_has_no_space_and_no_control_character) {
  HttpRequest request = request_with({{"Host", "a"}});
  for (const std::string& target : {std::string("/a b"), std::string("/a\tb"), std::string("/\x7F"),
                                    std::string("/a\0b", 4), std::string("/a\rb")}) {
    request.target = target;
    EXPECT_EQ(status(request), 400U) << target;
  }
  request.target =
      "/gr\xC3\xBC\xC3\x9F"
      "e";
  EXPECT_EQ(status(request), 200U);
}

TEST(http_head, a_body_has_a_length_and_no_encoding) {
  for (const std::string_view encoding : {"chunked", "identity", "gzip, chunked", "xchunked", ""}) {
    EXPECT_EQ(status_with("Transfer-Encoding", std::string(encoding)), 411U) << encoding;
  }
  EXPECT_EQ(status(request_with(
                {{"Host", "a"}, {"Content-Length", "5"}, {"transfer-encoding", "chunked"}})),
            411U);
  for (const std::string_view length : {"65537", "10485760", "99999999999999999999999"}) {
    EXPECT_EQ(status_with("Content-Length", std::string(length)), 413U) << length;
  }
  for (const std::string_view length : {"", "-1", "+1", "0x5", "5, 5", "5 5", "1e3", " 5"}) {
    EXPECT_EQ(status_with("Content-Length", std::string(length)), 400U) << length;
  }
}

TEST(http_head, a_head_has_limits) {
  HttpLimits limits;
  limits.target_bytes_max = 100;
  limits.headers_max = 5;
  limits.head_bytes_max = 500;
  HttpRequest request = request_with({{"Host", "a"}});
  request.target = "/" + std::string(99, 'a');
  EXPECT_EQ(status(request, limits), 200U);
  request.target += 'a';
  EXPECT_EQ(status(request, limits), 414U);
  request = request_with({{"Host", "a"}});
  for (int i = 0; i < 4; ++i) request.headers.emplace_back("X", "");
  EXPECT_EQ(status(request, limits), 200U);
  request.headers.emplace_back("X", "");
  EXPECT_EQ(status(request, limits), 431U);
  EXPECT_EQ(status(request_with({{"Host", "a"}, {"X", std::string(400, 'x')}}), limits), 200U);
  EXPECT_EQ(status(request_with({{"Host", "a"}, {"X", std::string(480, 'x')}}), limits), 431U);
}

TEST(http_head, a_target_with_an_authority_becomes_a_path_and_its_host) {
  const auto origin_form = [](std::string_view target) {
    HttpRequest request = request_with({{"Host", "ignored"}, {"X", "1"}});
    request.target = target;
    use_origin_form(request);
    EXPECT_EQ(request.header_count("Host"), 1U);
    return std::pair(std::string(*request.header("Host")), request.target);
  };
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(origin_form("http://h:80/a/b?c=d"), Pair("h:80", "/a/b?c=d"));
  EXPECT_EQ(origin_form("HTTP://h"), Pair("h", "/"));
  EXPECT_EQ(origin_form("http://h?c"), Pair("h", "/?c"));
  EXPECT_EQ(origin_form("http://u@h/"), Pair("u@h", "/"));
  EXPECT_EQ(origin_form("http:///a"), Pair("", "/a"));
  for (const std::string_view other : {"/http://h/a", "*", "h:80", "https://h/", "http://", ""}) {
    EXPECT_EQ(origin_form(other), Pair("ignored", std::string(other)));
  }
}

}  // namespace
}  // namespace sluice
