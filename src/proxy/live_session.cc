#include "sluice/proxy/live_session.h"

#include <fmt/format.h>

#include <charconv>

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
  return fmt::format("{}-{}-{}", worker, started_ms, client_fd);
}

std::optional<SessionId> SessionId::parse(std::string_view text) {
  SessionId id;
  std::string_view rest = text;
  const bool is_read = take_number(rest, id.worker) && take_number(rest, id.started_ms) &&
                       take_number(rest, id.client_fd) && rest.empty();
  // Written in one way only: no leading zeros, no dash at the end.
  if (!is_read || id.to_string() != text) return std::nullopt;
  return id;
}

}  // namespace sluice
