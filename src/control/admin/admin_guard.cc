#include "admin_guard.h"

#include <fmt/format.h>
#include <strings.h>

namespace sluice {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr uint16_t kAnyPort = 1;

bool is_same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// Without its port: of `[::1]:80` it is `[::1]`.
std::string_view without_port(std::string_view host) {
  const size_t colon = host.rfind(':');
  const size_t bracket = host.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  return has_port ? host.substr(0, colon) : host;
}

bool is_localhost(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  constexpr std::string_view kLocalhost = "localhost";
  if (is_same_word(host, kLocalhost)) return true;
  // Browsers resolve whatever ends so to this host and nothing else (RFC 6761).
  return host.size() > kLocalhost.size() + 1 &&
         is_same_word(host.substr(host.size() - kLocalhost.size() - 1), ".localhost");
}

// Whether this is how a client that found us by itself would call us.
bool is_own_host(std::string_view value, const HttpRequest& request, std::string_view own_name) {
  const std::string_view host = without_port(value);
  const auto literal = Address::parse(fmt::format("{}:{}", host, kAnyPort));
  if (!literal) return false;
  // Has to show the token for all that is not the same for everybody, and no strange page has it.
  // By which address or name there is a way to us from elsewhere (NAT, a container's published
  // port), nobody here knows.
  if (is_from_elsewhere(request.peer)) return true;
  // A browser may come to a unix socket, too, through `ssh -L` or a proxy on this host, by which
  // that is called `localhost` or a loopback address with a port of its own.
  const bool is_loopback = request.local.is_unix() || request.local.is_loopback();
  if (is_localhost(host)) return is_loopback;
  if (literal->is_name()) return request.local.is_loopback() && is_same_word(host, own_name);
  return (literal->is_loopback() && is_loopback) ||
         (literal->kind() == request.local.kind() && literal->bytes() == request.local.bytes());
}

// The page's scheme and authority must be where the request goes to.
bool is_own_origin(std::string_view origin, std::optional<std::string_view> host) {
  const size_t mark = origin.find("://");
  if (!host || mark == std::string_view::npos) return false;
  const std::string_view scheme = origin.substr(0, mark);
  const bool is_http = is_same_word(scheme, "http") || is_same_word(scheme, "https");
  return is_http && is_same_word(origin.substr(mark + 3), *host);
}

// What a browser says of a page that is not ours and asks without an Origin: an image, a script, a
// link. `none` is somebody at the address bar. A link may be followed to us, where it shows what
// there is to that person alone; all the rest is that page's doing.
bool is_foreign_page(const HttpRequest& request, AdminNeed need) {
  const auto site = request.header("Sec-Fetch-Site");
  if (!site || *site == "same-origin" || *site == "none") return false;
  return need == AdminNeed::change || request.header("Sec-Fetch-Mode") != "navigate";
}

}  // namespace

bool is_from_elsewhere(const Address& peer) { return !peer.is_unix() && !peer.is_loopback(); }

bool is_same_secret(std::string_view given, std::string_view secret) {
  size_t difference = given.size() ^ secret.size();
  for (size_t i = 0; i < given.size() && !secret.empty(); ++i) {
    const auto one = static_cast<unsigned char>(given[i]);
    const auto other = static_cast<unsigned char>(secret[i % secret.size()]);
    difference |= static_cast<size_t>(one ^ other);
  }
  return difference == 0;
}

std::string single_label(std::string host_name) {
  return host_name.find('.') == std::string::npos ? std::move(host_name) : std::string();
}

bool AdminGuard::has_token(const HttpRequest& request) const {
  const auto value = request.header("Authorization");
  if (token_.empty() || !value) return false;
  if (!is_same_word(value->substr(0, kBearer.size()), kBearer)) return false;
  return is_same_secret(value->substr(kBearer.size()), token_);
}

bool AdminGuard::needs_token(AdminNeed need, const HttpRequest& request) const {
  const bool is_foreign = is_from_elsewhere(request.peer);
  switch (need) {
    case AdminNeed::page:
      return false;
    case AdminNeed::read:
      return is_foreign;
    case AdminNeed::secret:
    case AdminNeed::change:
      return is_foreign || !token_.empty();
  }
  return true;
}

std::optional<HttpAnswer> AdminGuard::refuse(const HttpRequest& request, AdminNeed need) const {
  const auto host = request.header("Host");
  if (host && !is_own_host(*host, request, own_name_)) {
    return http_error(403,
                      "Host names another server: ask for this one by its address or as localhost");
  }
  const auto origin = request.header("Origin");
  if ((origin && !is_own_origin(*origin, host)) || is_foreign_page(request, need)) {
    return http_error(403, "this request was sent by the page of another site");
  }
  if (!needs_token(need, request) || has_token(request)) return std::nullopt;
  HttpAnswer answer = http_error(401, "the token is missing or wrong");
  answer.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"sluice\"");
  return answer;
}

}  // namespace sluice
