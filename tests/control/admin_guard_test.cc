// Who may ask the admin side for what.
#include "admin/admin_guard.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace sluice {
namespace {

const std::string kToken = "0123456789abcdef0123";

Address address(std::string_view text) { return *Address::parse(text); }

HttpRequest local_request() {
  return {.method = "GET",
          .target = "/",
          .headers = {{"Host", "127.0.0.1:9901"}},
          .peer = address("127.0.0.1:5000"),
          .local = address("127.0.0.1:9901")};
}

HttpRequest request_from_elsewhere() {
  return {.method = "GET",
          .target = "/",
          .headers = {{"Host", "10.0.0.1:9901"}},
          .peer = address("10.0.0.2:5000"),
          .local = address("10.0.0.1:9901")};
}

unsigned status(const AdminGuard& guard, const HttpRequest& request, AdminNeed need) {
  const auto refusal = guard.refuse(request, need);
  return refusal ? refusal->status : 200;
}

unsigned status_with_host(std::string_view host, HttpRequest request = local_request()) {
  request.headers = {{"host", std::string(host)}};
  return status(AdminGuard(""), request, AdminNeed::read);
}

TEST(admin_guard, local_clients_may_do_everything_while_there_is_no_token) {
  const AdminGuard guard("");
  EXPECT_EQ(status(guard, local_request(), AdminNeed::read), 200U);
  EXPECT_EQ(status(guard, local_request(), AdminNeed::change), 200U);
}

TEST(admin_guard, with_a_token_local_clients_need_it_for_changes_only) {
  const AdminGuard guard(kToken);
  HttpRequest request = local_request();
  EXPECT_EQ(status(guard, request, AdminNeed::read), 200U);
  EXPECT_EQ(status(guard, request, AdminNeed::change), 401U);
  request.headers.emplace_back("Authorization", "Bearer " + kToken);
  EXPECT_EQ(status(guard, request, AdminNeed::change), 200U);
}

TEST(admin_guard, from_elsewhere_everything_but_the_page_needs_the_token) {
  const AdminGuard guard(kToken);
  HttpRequest request = request_from_elsewhere();
  EXPECT_EQ(status(guard, request, AdminNeed::page), 200U);
  EXPECT_EQ(status(guard, request, AdminNeed::read), 401U);
  EXPECT_EQ(status(guard, request, AdminNeed::change), 401U);
  request.headers.emplace_back("authorization", "bearer " + kToken);
  EXPECT_EQ(status(guard, request, AdminNeed::read), 200U);
  EXPECT_EQ(status(guard, request, AdminNeed::change), 200U);
  // Should there ever be none: nobody gets in.
  EXPECT_EQ(status(AdminGuard(""), request, AdminNeed::read), 401U);
}

TEST(admin_guard, a_token_that_is_almost_right_is_wrong) {
  const AdminGuard guard(kToken);
  for (const std::string& value :
       {std::string("Bearer "), "Bearer " + kToken + "x", "Bearer " + kToken.substr(1),
        "Bearer  " + kToken, "Basic " + kToken, kToken, "Bearer " + kToken + kToken}) {
    HttpRequest request = local_request();
    request.headers.emplace_back("Authorization", value);
    EXPECT_EQ(status(guard, request, AdminNeed::change), 401U) << value;
  }
}

TEST(admin_guard, a_refused_token_says_how_one_is_sent) {
  const auto refusal = AdminGuard(kToken).refuse(local_request(), AdminNeed::change);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->headers.at(0).first, "WWW-Authenticate");
  EXPECT_EQ(refusal->body.find(kToken), std::string::npos);
}

TEST(admin_guard, local_clients_call_us_by_a_loopback_address_or_localhost) {
  for (const std::string_view host :
       {"127.0.0.1:9901", "127.0.0.1", "localhost", "localhost:8000", "LOCALHOST:9901",
        "[::1]:9901", "localhost.", "sluice.localhost:9901", "127.0.0.2"}) {
    EXPECT_EQ(status_with_host(host), 200U) << host;
  }
  for (const std::string_view host :
       {"evil.example", "evil.example:9901", "localhost.evil.example", "xlocalhost", ".localhost",
        "10.0.0.1:9901", "0.0.0.0:9901", "[::]:9901", "", ":9901", "127.0.0.1.evil.example"}) {
    EXPECT_EQ(status_with_host(host), 403U) << host;
  }
}

TEST(admin_guard, a_local_client_is_refused_a_name_on_another_address_too) {
  HttpRequest request = local_request();
  request.local = address("10.0.0.1:9901");  // on an address of ours that is not loopback
  EXPECT_EQ(status_with_host("evil.example:9901", request), 403U);
  EXPECT_EQ(status_with_host("10.0.0.1:9901", request), 200U);
  EXPECT_EQ(status_with_host("localhost:9901", request), 403U);
}

TEST(admin_guard, others_call_us_by_any_name_when_they_have_the_token) {
  HttpRequest request = request_from_elsewhere();
  request.headers = {{"Host", "sluice.example:9901"}, {"Authorization", "Bearer " + kToken}};
  EXPECT_EQ(status(AdminGuard(kToken), request, AdminNeed::change), 200U);
  request.headers[0].second = "10.0.0.9:9901";
  EXPECT_EQ(status(AdminGuard(kToken), request, AdminNeed::change), 403U);
}

TEST(admin_guard, a_request_of_http_1_0_needs_no_host) {
  HttpRequest request = local_request();
  request.headers.clear();
  EXPECT_EQ(status(AdminGuard(""), request, AdminNeed::read), 200U);
}

TEST(admin_guard, a_new_token_takes_the_place_of_the_old_one) {
  AdminGuard guard(kToken);
  HttpRequest request = local_request();
  request.headers.emplace_back("Authorization", "Bearer " + kToken);
  guard.set_token("another-token-of-16");
  EXPECT_EQ(status(guard, request, AdminNeed::change), 401U);
  request.headers.back().second = "Bearer another-token-of-16";
  EXPECT_EQ(status(guard, request, AdminNeed::change), 200U);
}

TEST(admin_guard, a_page_of_another_origin_is_refused_whatever_it_asks) {
  const auto with_origin = [](std::string_view origin, AdminNeed need) {
    HttpRequest request = local_request();
    request.headers.emplace_back("Origin", std::string(origin));
    return status(AdminGuard(""), request, need);
  };
  for (const AdminNeed need : {AdminNeed::page, AdminNeed::read, AdminNeed::change}) {
    EXPECT_EQ(with_origin("http://127.0.0.1:9901", need), 200U);
    for (const std::string_view origin :
         {"http://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:3000",
          "http://localhost:9901", "file://127.0.0.1:9901", "http://127.0.0.1:9901.evil.example",
          "", "://127.0.0.1:9901"}) {
      EXPECT_EQ(with_origin(origin, need), 403U) << origin;
    }
  }
}

TEST(admin_guard, a_foreign_page_that_sends_no_origin_may_only_link_to_us) {
  const auto from = [](std::string_view site, std::string_view mode, AdminNeed need) {
    HttpRequest request = local_request();
    request.headers.emplace_back("sec-fetch-site", std::string(site));
    if (!mode.empty()) request.headers.emplace_back("Sec-Fetch-Mode", std::string(mode));
    return status(AdminGuard(""), request, need);
  };
  for (const AdminNeed need : {AdminNeed::page, AdminNeed::read, AdminNeed::change}) {
    for (const std::string_view own : {"same-origin", "none"}) {
      EXPECT_EQ(from(own, "cors", need), 200U) << own;
    }
    // Another port of this host is the same site, and another's page all the same.
    for (const std::string_view foreign : {"cross-site", "same-site", "", "Same-Origin", "new"}) {
      for (const std::string_view mode : {"", "no-cors", "cors", "websocket"}) {
        EXPECT_EQ(from(foreign, mode, need), 403U) << foreign << " " << mode;
      }
      EXPECT_EQ(from(foreign, "navigate", need), need == AdminNeed::change ? 403U : 200U);
    }
  }
}

TEST(admin_guard, on_a_unix_socket_the_host_is_no_matter_and_the_file_decides) {
  HttpRequest request = local_request();
  request.local = request.peer = address("unix:/run/a.sock");
  request.headers = {{"Host", "anything"}};
  EXPECT_EQ(status(AdminGuard(""), request, AdminNeed::change), 200U);
  EXPECT_EQ(status(AdminGuard(kToken), request, AdminNeed::change), 401U);
}

TEST(admin_guard, secrets_are_the_same_only_when_every_byte_is) {
  EXPECT_TRUE(is_same_secret("abc", "abc"));
  for (const std::string_view given : {"", "ab", "abd", "xbc", "abcd", "abcabc"}) {
    EXPECT_FALSE(is_same_secret(given, "abc")) << given;
  }
  EXPECT_FALSE(is_same_secret("a", ""));
}

}  // namespace
}  // namespace sluice
