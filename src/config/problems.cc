#include "problems.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "text.h"

namespace sluice {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// How far a plain word goes: to a comment, a value's colon or what ends it in a flow collection.
size_t plain_width(std::string_view line) {
  size_t i = 0;
  for (; i < line.size(); ++i) {
    const bool at_end = i + 1 == line.size();
    if (line[i] == ':' && (at_end || is_blank(line[i + 1]))) break;
    if (line[i] == '#' && i > 0 && is_blank(line[i - 1])) break;
    if (std::string_view(",]}").find(line[i]) != std::string_view::npos) break;
  }
  while (i > 0 && is_blank(line[i - 1])) --i;
  return std::max<size_t>(i, 1);
}

size_t token_width(std::string_view line) {
  if (line.empty()) return 1;
  if (line.front() == '"' || line.front() == '\'') {
    return quoted_length(line).value_or(line.size());
  }
  if (std::string_view("[{|>").find(line.front()) != std::string_view::npos) return 1;
  return plain_width(line);
}

}  // namespace

Place Place::part(size_t offset, size_t length) const {
  if (origin != Origin::text) return *this;
  return in_text(index + offset, length);
}

Problems::Problems(std::string_view text, std::span<const Override> overrides)
    : text_(text), overrides_(overrides) {
  line_starts_.push_back(0);
  for (size_t end = text.find('\n'); end != std::string_view::npos;
       end = text.find('\n', end + 1)) {
    line_starts_.push_back(end + 1);
  }
}

void Problems::error(const Place& place, std::string message) {
  ++errors_;
  add(Severity::error, place, std::move(message));
}

void Problems::warning(const Place& place, std::string message) {
  add(Severity::warning, place, std::move(message));
}

int Problems::line_of(const Place& place) const {
  if (place.origin != Place::Origin::text) return 0;
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), place.index);
  return static_cast<int>(after - line_starts_.begin());
}

void Problems::add(Severity severity, const Place& place, std::string message) {
  if (is_full()) {
    ++left_out_;
    return;
  }
  Problem problem{.severity = severity, .message = std::move(message)};
  if (place.origin == Place::Origin::override_value) {
    const Override& given = overrides_[place.index];
    problem.message =
        fmt::format("--set {}={}: {}", excerpt(given.path), excerpt(given.value), problem.message);
  }
  if (place.origin == Place::Origin::text) {
    const size_t offset = std::min(place.index, text_.size());
    problem.line = line_of(Place::in_text(offset));
    const size_t start = line_starts_[static_cast<size_t>(problem.line) - 1];
    const size_t end = std::min(text_.find('\n', offset), text_.size());
    const std::string_view rest = without_carriage_return(text_.substr(offset, end - offset));
    const size_t bytes = place.bytes != 0 ? std::min(place.bytes, rest.size()) : token_width(rest);
    problem.column = static_cast<int>(count_characters(text_.substr(start, offset - start))) + 1;
    problem.width = std::max(1, static_cast<int>(count_characters(rest.substr(0, bytes))));
  }
  // What two aliases share is read twice, and wrong only once.
  if (std::find(problems_.begin(), problems_.end(), problem) == problems_.end()) {
    problems_.push_back(std::move(problem));
  }
}

std::vector<Problem> Problems::take() {
  std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
    return std::tuple(a.line == 0, a.line, a.column) < std::tuple(b.line == 0, b.line, b.column);
  });
  if (left_out_ > 0) {
    problems_.push_back({.severity = has_errors() ? Severity::error : Severity::warning,
                         .message = fmt::format("{} more problems are left out", left_out_)});
  }
  return std::move(problems_);
}

}  // namespace sluice
