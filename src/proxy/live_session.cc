#include "sluice/proxy/live_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace sluice {
namespace {

// The number at the front of `text`, which loses it and the dash behind it.
template <typename T>
bool take_number(std::string_view& text, T& out) {
  const std::string_view digits = text.substr(0, text.find('-'));
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  if (error != std::errc{} || stop != digits.data() + digits.size()) return false;
  text.remove_prefix(digits.size());
  if (!text.empty()) text.remove_prefix(1);
  return true;
}

}  // namespace

std::string SessionId::to_string() const {
  return fmt::format("{}-{}-{}", worker, started_ms, slot);
}

std::optional<SessionId> SessionId::parse(std::string_view text) {
  SessionId id;
  std::string_view rest = text;
  const bool is_read = take_number(rest, id.worker) && take_number(rest, id.started_ms) &&
                       take_number(rest, id.slot) && rest.empty();
  // Written in one way only: no leading zeros, no dash at the end.
  if (!is_read || id.to_string() != text) return std::nullopt;
  return id;
}

void merge_into(LiveSessions& all, LiveSessions more, size_t count_max) {
  const auto is_before = [](const LiveSession& a, const LiveSession& b) {
    return is_listed_before(a.id, b.id);
  };
  all.total += more.total;
  all.matching += more.matching;
  const auto count = static_cast<std::ptrdiff_t>(all.sessions.size());
  std::move(more.sessions.begin(), more.sessions.end(), std::back_inserter(all.sessions));
  std::inplace_merge(all.sessions.begin(), all.sessions.begin() + count, all.sessions.end(),
                     is_before);
  // Behind where one of them ends the list has gaps.
  if (!all.reaches_to || (more.reaches_to && is_listed_before(*more.reaches_to, *all.reaches_to))) {
    all.reaches_to = more.reaches_to;
  }
  if (all.reaches_to) {
    std::erase_if(all.sessions, [&](const LiveSession& session) {
      return is_listed_before(*all.reaches_to, session.id);
    });
  }
  if (all.sessions.size() <= count_max) return;
  all.sessions.erase(all.sessions.begin() + static_cast<std::ptrdiff_t>(count_max),
                     all.sessions.end());
  all.reaches_to = all.sessions.back().id;
}

}  // namespace sluice
