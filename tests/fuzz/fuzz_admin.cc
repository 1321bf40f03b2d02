// libFuzzer entry for what a client can say to the admin side: lines of target, Host, Origin,
// Authorization and Last-Event-ID. Whatever they are, nobody changes anything without the token, no
// name with a control character in it is looked for, and what is escaped comes back as it was.
//
//   fuzz-admin -max_total_time=300 CORPUS tests/fuzz/corpus/admin
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "admin/admin_guard.h"
#include "admin/admin_routes.h"
#include "admin/event_ring.h"
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
  }

  sluice::EventRing ring("e");
  for (int i = 0; i < 5; ++i) ring.add("{}");
  const std::string last_id = take_line(text);
  uint64_t position = ring.position_after(last_id);
  require(position >= 1 && position <= 6);
  while (!ring.read(position).empty()) continue;
  require(position == 6);
  return 0;
}
