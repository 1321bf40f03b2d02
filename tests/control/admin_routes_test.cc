// From a request's method and target to whoever answers it.
#include "admin/admin_routes.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace sluice {
namespace {

using Names = std::vector<std::string>;

class AdminRoutesTest : public testing::Test {
 protected:
  AdminRoutesTest() {
    add("GET", "/");
    add("GET", "/api/status");
    add("POST", "/api/clusters/{}/backends/{+}/drain");
    add("GET", "/both");
    add("POST", "/both");
  }
  void add(std::string_view method, std::string_view path) {
    routes.add(method, path, AdminNeed::read, [](const AdminCall&, const HttpReply&) {});
  }
  unsigned status(std::string_view method, std::string_view target) {
    const HttpRequest request{.method = std::string(method),
                              .target = std::string(target),
                              .headers = {},
                              .peer = {},
                              .local = {}};
    const auto found = routes.find(request);
    const auto* answer = std::get_if<HttpAnswer>(&found);
    return answer == nullptr ? 200 : answer->status;
  }
  Names names(std::string_view target) {
    const HttpRequest request{
        .method = "POST", .target = std::string(target), .headers = {}, .peer = {}, .local = {}};
    const auto found = routes.find(request);
    const auto* match = std::get_if<AdminRoutes::Match>(&found);
    return match == nullptr ? Names{} : match->call.names;
  }

  AdminRoutes routes;
};

TEST_F(AdminRoutesTest, a_path_is_found_as_it_is_and_no_other) {
  EXPECT_EQ(status("GET", "/api/status"), 200U);
  EXPECT_EQ(status("GET", "/api/status?x=1&y"), 200U);
  EXPECT_EQ(status("GET", "/"), 200U);
  EXPECT_EQ(status("GET", "/api/%73tatus"), 200U);
  for (const std::string_view target :
       {"/api/status/", "//api/status", "/api//status", "/api", "/API/status", "/api/../api/status",
        "/./api/status", "/api/status;x", "/api%2Fstatus", "/..", "/api/clusters/a/backends/b"}) {
    EXPECT_EQ(status("GET", target), 404U) << target;
  }
}

TEST_F(AdminRoutesTest, what_is_no_path_is_a_bad_request) {
  for (const std::string_view target :
       {"", "*", "http://127.0.0.1/api/status", "api/status", "/api/%", "/api/%4", "/api/%zz",
        "/api/status%00", "/api/%0d%0astatus", "/api/status?%"}) {
    EXPECT_EQ(status("GET", target), 400U) << target;
  }
  std::string many = "/api/status?";
  for (int i = 0; i < 100; ++i) many += "a=b&";
  EXPECT_EQ(status("GET", many), 400U);
}

TEST_F(AdminRoutesTest, another_method_is_refused_with_those_that_there_are) {
  EXPECT_EQ(status("HEAD", "/api/status"), 200U);
  EXPECT_EQ(status("POST", "/api/status"), 405U);
  EXPECT_EQ(status("GET", "/api/clusters/a/backends/b/drain"), 405U);
  EXPECT_EQ(status("HEAD", "/api/clusters/a/backends/b/drain"), 405U);
  const HttpRequest request{
      .method = "PUT", .target = "/both", .headers = {}, .peer = {}, .local = {}};
  const auto found = routes.find(request);
  const auto& answer = std::get<HttpAnswer>(found);
  EXPECT_EQ(answer.status, 405U);
  EXPECT_EQ(answer.headers.at(0).first, "Allow");
  EXPECT_EQ(answer.headers.at(0).second, "GET, HEAD, POST");
}

TEST_F(AdminRoutesTest, names_are_taken_from_the_path_decoded) {
  EXPECT_EQ(names("/api/clusters/web/backends/10.0.0.1:80/drain"), (Names{"web", "10.0.0.1:80"}));
  EXPECT_EQ(names("/api/clusters/a%2Fb/backends/%5B::1%5D:80/drain"), (Names{"a/b", "[::1]:80"}));
  EXPECT_EQ(names("/api/clusters/web/backends/db:80%2F10.0.0.1/drain"),
            (Names{"web", "db:80/10.0.0.1"}));
  EXPECT_EQ(names("/api/clusters/web/backends/db:80/10.0.0.1/drain"),
            (Names{"web", "db:80/10.0.0.1"}));
  EXPECT_EQ(names("/api/clusters/web/backends//drain"), Names{});
  EXPECT_EQ(names("/api/clusters//backends/b/drain"), Names{});
}

TEST(http_target, parameters_are_decoded_and_the_first_of_a_name_counts) {
  const auto target = parse_target("/a?limit=5&limit=6&empty&x=%2F%3D");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->parameter("limit"), "5");
  EXPECT_EQ(target->parameter("empty"), "");
  EXPECT_EQ(target->parameter("x"), "/=");
  EXPECT_EQ(target->parameter("y"), std::nullopt);
}

TEST(http_target, an_escaped_segment_comes_back_as_it_was) {
  const std::string name = "a/b c%[::1]:80?#\xC3\xBC";
  const auto target = parse_target("/" + escape_segment(name));
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments, (Names{name}));
}

}  // namespace
}  // namespace sluice
