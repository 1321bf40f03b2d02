#include "session_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace sluice {
namespace {

bool is_limit(std::string_view text, size_t& out) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  const bool is_number = error == std::errc{} && stop == text.data() + text.size();
  return is_number && out >= 1 && out <= kSessionsMax;
}

template <typename Named>
bool has_name(const std::vector<Named>& all, std::string_view name) {
  return std::any_of(all.begin(), all.end(), [name](const Named& one) { return one.name == name; });
}

}  // namespace

tl::expected<SessionQuery, HttpAnswer> read_session_query(const HttpTarget& target,
                                                          const Config& config) {
  SessionQuery query{.count_max = kSessionsDefault};
  if (const auto text = target.parameter("limit"); text && !is_limit(*text, query.count_max)) {
    return tl::unexpected(
        http_error(400, fmt::format("?limit= must be a number from 1 to {}", kSessionsMax)));
  }
  if (const auto text = target.parameter("after")) {
    query.after = SessionId::parse(*text);
    if (!query.after) return tl::unexpected(http_error(400, "?after= must be a session's id"));
  }
  for (const auto& [key, name] : {std::pair{"listener", &query.listener},
                                  {"cluster", &query.cluster},
                                  {"backend", &query.backend}}) {
    const auto text = target.parameter(key);
    if (!text) continue;
    if (text->empty()) {
      return tl::unexpected(http_error(400, fmt::format("?{}= must be a name", key)));
    }
    *name = *text;
  }
  if (!query.listener.empty() && !has_name(config.listeners, query.listener)) {
    return tl::unexpected(
        http_error(404, fmt::format("there is no listener '{}'", query.listener)));
  }
  if (!query.cluster.empty() && !has_name(config.clusters, query.cluster)) {
    return tl::unexpected(http_error(404, fmt::format("there is no cluster '{}'", query.cluster)));
  }
  return query;
}

}  // namespace sluice
