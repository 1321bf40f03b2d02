// libFuzzer entry for what a client can say to the admin side: lines of target, Host, Origin,
// Authorization, Last-Event-ID, and further headers. Whatever they are, nobody changes anything
// without the token or for a foreign page, no name with a control character in it is looked for,
// what is escaped comes back as it was, and a head that passes says each thing once.
//
//   fuzz-admin -max_total_time=300 CORPUS tests/fuzz/corpus/admin
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "admin/admin_guard.h"
#include "admin/admin_routes.h"
#include "admin/event_ring.h"
#include "admin/http_head.h"
#include "admin/token_file.h"
#include "sluice/proxy/live_session.h"

namespace {

using sluice::AdminGuard;
using sluice::AdminNeed;
using sluice::AdminRoutes;
using sluice::HttpRequest;

constexpr std::string_view kToken = "0123456789abcdef";

std::string take_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string line(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

void require(bool truth) {
  if (!truth) std::abort();
}

bool is_plain(const std::string& name) {
  return std::none_of(name.begin(), name.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

AdminRoutes make_routes() {
  AdminRoutes routes;
  const auto nothing = [](const sluice::AdminCall&, const sluice::HttpReply&) {};
  routes.add("GET", "/api/status", AdminNeed::read, nothing);
  routes.add("POST", "/api/clusters/{}/backends/{+}/drain", AdminNeed::change, nothing);
  routes.add("POST", "/api/sessions/{}/close", AdminNeed::change, nothing);
  return routes;
}

void check_names(const HttpRequest& request) {
  static const AdminRoutes routes = make_routes();
  const auto found = routes.find(request);
  const auto* match = std::get_if<AdminRoutes::Match>(&found);
  if (match == nullptr) return;
  for (const std::string& name : match->call.names) {
    require(!name.empty() && is_plain(name));
    const auto again = sluice::parse_target("/" + sluice::escape_segment(name));
    require(again && again->segments.size() == 1 && again->segments[0] == name);
    const auto id = sluice::SessionId::parse(name);
    if (id) require(id->to_string() == name);
  }
}

// What is left are lines of `name:value`.
HttpRequest with_headers(HttpRequest request, std::string_view text) {
  while (!text.empty()) {
    const std::string line = take_line(text);
    const size_t colon = std::min(line.find(':'), line.size());
    request.headers.emplace_back(line.substr(0, colon),
                                 line.substr(std::min(colon + 1, line.size())));
  }
  return request;
}

void check_head(HttpRequest request) {
  const sluice::HttpLimits limits;
  if (sluice::refuse_head(request, limits)) return;
  require(request.target.size() <= limits.target_bytes_max && is_plain(request.target));
  require(!request.header("Transfer-Encoding"));
  for (const char* name : {"Host", "Origin", "Authorization", "Content-Length", "Sec-Fetch-Site"}) {
    require(request.header_count(name) <= 1);
  }
  require(request.header_count("Host") == 1);
  const std::string before = request.target;
  sluice::use_origin_form(request);
  require(request.header_count("Host") == 1);
  require(request.target == before || request.target.starts_with('/'));
}

void check_token(std::string_view text) {
  const auto token = sluice::read_token(text);
  if (!token) return;
  require(token->size() >= kToken.size() && is_plain(*token));
  require(text.starts_with(*token) &&
          sluice::is_same_secret(*token, text.substr(0, token->size())));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  HttpRequest request{.method = "POST",
                      .target = take_line(text),
                      .headers = {},
                      .peer = sluice::Address::ipv4({127, 0, 0, 1}, 5000),
                      .local = sluice::Address::ipv4({127, 0, 0, 1}, 9901)};
  for (const char* name : {"Host", "Origin", "Authorization"}) {
    std::string value = take_line(text);
    if (!value.empty()) request.headers.emplace_back(name, std::move(value));
  }
  check_names(request);

  static const AdminGuard guard{std::string(kToken)};
  if (!guard.refuse(request, AdminNeed::change)) {
    const std::string_view value = request.header("Authorization").value_or("");
    require(value.size() == 7 + kToken.size() && value.substr(7) == kToken);
    const std::string_view site = request.header("Sec-Fetch-Site").value_or("none");
    require(site == "none" || site == "same-origin");
  }

  sluice::EventRing ring("e");
  for (int i = 0; i < 5; ++i) ring.add("{}");
  const std::string last_id = take_line(text);
  uint64_t position = ring.position_after(last_id);
  require(position >= 1 && position <= 6);
  while (!ring.read(position).empty()) continue;
  require(position == 6);
  check_head(with_headers(std::move(request), text));
  check_token(text);
  return 0;
}
