#include "admin_routes.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace sluice {
namespace {

constexpr std::string_view kOne = "{}";
constexpr std::string_view kSome = "{+}";

using Segments = std::vector<std::string>;

// Takes the segments from `begin` on that `pattern` has plain words or {} for.
bool match_each(const Segments& pattern, size_t from, size_t count, const Segments& segments,
                size_t begin, Segments& names) {
  for (size_t i = 0; i < count; ++i) {
    const std::string& segment = segments[begin + i];
    if (pattern[from + i] == kOne) {
      if (segment.empty()) return false;
      names.push_back(segment);
    } else if (pattern[from + i] != segment) {
      return false;
    }
  }
  return true;
}

// What stood for {} and {+}, or nothing when it does not fit.
std::optional<Segments> match(const Segments& pattern, const Segments& segments) {
  Segments names;
  const auto some = static_cast<size_t>(
      std::distance(pattern.begin(), std::find(pattern.begin(), pattern.end(), kSome)));
  if (some == pattern.size()) {
    if (segments.size() != pattern.size()) return std::nullopt;
    if (!match_each(pattern, 0, pattern.size(), segments, 0, names)) return std::nullopt;
    return names;
  }
  if (segments.size() < pattern.size()) return std::nullopt;
  if (!match_each(pattern, 0, some, segments, 0, names)) return std::nullopt;
  const size_t tail = pattern.size() - some - 1;
  const size_t tail_begin = segments.size() - tail;
  std::string joined = segments[some];
  for (size_t i = some + 1; i < tail_begin; ++i) joined += '/' + segments[i];
  if (joined.empty()) return std::nullopt;
  names.push_back(std::move(joined));
  if (!match_each(pattern, some + 1, tail, segments, tail_begin, names)) return std::nullopt;
  return names;
}

}  // namespace

void AdminRoutes::add(std::string_view method, std::string_view path, AdminNeed need,
                      Handler handler) {
  Segments pattern;
  for (std::string_view rest = path.substr(1);;) {
    const size_t slash = rest.find('/');
    pattern.emplace_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  routes_.push_back({std::string(method), std::move(pattern), need, std::move(handler)});
}

std::variant<AdminRoutes::Match, HttpAnswer> AdminRoutes::find(const HttpRequest& request) const {
  auto target = parse_target(request.target);
  if (!target) return http_error(400, target.error().message);
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  std::string allowed;
  for (const Route& route : routes_) {
    auto names = match(route.pattern, target->segments);
    if (!names) continue;
    if (route.method == method) {
      return Match{.need = route.need,
                   .handler = &route.handler,
                   .call = {request, std::move(*names), std::move(*target)}};
    }
    allowed += (allowed.empty() ? "" : ", ") + route.method;
    if (route.method == "GET") allowed += ", HEAD";
  }
  if (allowed.empty()) return http_error(404, "there is nothing at this path");
  HttpAnswer answer = http_error(405, "this path does not take " + request.method);
  answer.headers.emplace_back("Allow", allowed);
  return answer;
}

}  // namespace sluice
