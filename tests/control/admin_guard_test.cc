// Who may ask the admin side for what.
#include "admin/admin_guard.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

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
  return status(AdminGuard("", "sluice-host"), request, AdminNeed::read);
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

TEST(admin_guard, with_a_token_secrets_need_it_from_everybody) {
  HttpRequest request = local_request();
  EXPECT_EQ(status(AdminGuard(""), request, AdminNeed::secret), 200U);
  EXPECT_EQ(status(AdminGuard(kToken), request, AdminNeed::secret), 401U);
  HttpRequest foreign = request_from_elsewhere();
  EXPECT_EQ(status(AdminGuard(""), foreign, AdminNeed::secret), 401U);
  EXPECT_EQ(status(AdminGuard(kToken), foreign, AdminNeed::secret), 401U);
  for (HttpRequest* one : {&request, &foreign}) {
    one->headers.emplace_back("Authorization", "Bearer " + kToken);
    EXPECT_EQ(status(AdminGuard(kToken), *one, AdminNeed::secret), 200U);
  }
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

// Behind NAT or a published port we are called by an address that is none of ours.
TEST(admin_guard, others_call_us_by_any_name_or_address_when_they_have_the_token) {
  for (const std::string_view host : {"sluice.example:9901", "10.0.0.9:9901", "192.0.2.1",
                                      "[2001:db8::1]:80", "localhost:9901", "127.0.0.1:9900"}) {
    HttpRequest request = request_from_elsewhere();
    request.headers = {{"Host", std::string(host)}};
    EXPECT_EQ(status(AdminGuard(kToken), request, AdminNeed::page), 200U) << host;
    for (const AdminNeed need : {AdminNeed::read, AdminNeed::change}) {
      EXPECT_EQ(status(AdminGuard(kToken), request, need), 401U) << host;
      request.headers.resize(1);
      request.headers.emplace_back("Authorization", "Bearer " + kToken);
      EXPECT_EQ(status(AdminGuard(kToken), request, need), 200U) << host;
      request.headers.emplace_back("Origin", "http://" + std::string(host));
      EXPECT_EQ(status(AdminGuard(kToken), request, need), 200U) << host;
      request.headers.back().second = "http://10.0.0.1:9901";
      EXPECT_EQ(status(AdminGuard(kToken), request, need), 403U) << host;
      request.headers.resize(1);
    }
  }
  HttpRequest request = request_from_elsewhere();
  request.headers = {{"Host", "a@10.0.0.1:9901"}, {"Authorization", "Bearer " + kToken}};
  EXPECT_EQ(status(AdminGuard(kToken), request, AdminNeed::read), 403U);
}

TEST(admin_guard, with_the_token_local_clients_are_refused_a_strange_host_all_the_same) {
  HttpRequest request = local_request();
  request.headers = {{"Host", "evil.example"}, {"Authorization", "Bearer " + kToken}};
  EXPECT_EQ(status(AdminGuard(kToken), request, AdminNeed::read), 403U);
}

TEST(admin_guard, local_clients_may_call_us_by_the_machines_own_name) {
  const AdminGuard guard("", "web1");
  HttpRequest request = local_request();
  request.local = address("127.0.1.1:9901");  // to which Debian resolves it
  const auto status_of = [&](std::string_view host) {
    request.headers = {{"Host", std::string(host)}};
    return status(guard, request, AdminNeed::change);
  };
  for (const std::string_view own : {"web1", "web1:9901", "WEB1:80"})
    EXPECT_EQ(status_of(own), 200U);
  for (const std::string_view other : {"web2", "web1.evil.example", "web", "web11", "", ":80"}) {
    EXPECT_EQ(status_of(other), 403U) << other;
  }
  request.local = address("10.0.0.1:9901");
  EXPECT_EQ(status_of("web1"), 403U);
}

TEST(admin_guard, a_machines_full_name_is_in_somebodys_zone_and_does_not_count) {
  EXPECT_EQ(single_label("web1"), "web1");
  EXPECT_EQ(single_label("web1.local"), "");
  EXPECT_EQ(single_label("web1."), "");
  EXPECT_EQ(single_label(""), "");
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

// A browser gets there by `ssh -L 9900:/run/a.sock` or a proxy, and then a page whose name has been
// made to point there does, too.
TEST(admin_guard, a_unix_socket_is_called_localhost_or_a_loopback_address_of_any_port) {
  const auto status_of = [](HttpHeaders headers, const std::string& token) {
    HttpRequest request = local_request();
    request.local = request.peer = address("unix:/run/a.sock");
    request.headers = std::move(headers);
    return status(AdminGuard(token, "web1"), request, AdminNeed::change);
  };
  for (const std::string own : {"localhost", "localhost:9900", "127.0.0.1:80", "[::1]:9900"}) {
    EXPECT_EQ(status_of({{"Host", own}}, ""), 200U) << own;
    EXPECT_EQ(status_of({{"Host", own}}, kToken), 401U) << "and the token is needed for changes";
    EXPECT_EQ(status_of({{"Host", own}, {"Origin", "http://" + own}}, ""), 200U) << own;
    EXPECT_EQ(status_of({{"Host", own}, {"Origin", "http://evil.example"}}, ""), 403U) << own;
  }
  EXPECT_EQ(status_of({}, ""), 200U) << "HTTP/1.0";
  for (const std::string other : {"anything", "evil.example:9900", "10.0.0.1", "0.0.0.0:9900",
                                  "localhost.evil.example", "web1", "", "a.sock"}) {
    EXPECT_EQ(status_of({{"Host", other}}, ""), 403U) << other;
    EXPECT_EQ(status_of({{"Host", other}, {"Origin", "http://" + other}}, ""), 403U) << other;
  }
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
