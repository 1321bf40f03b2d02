// The target of a request, taken apart: the segments of its path and its query.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/result.h"

namespace sluice {

struct HttpTarget {
  std::vector<std::string> segments;  // of /a/b%2Fc: `a` and `b/c`; of / one that is empty
  std::vector<std::pair<std::string, std::string>> query;

  std::optional<std::string_view> parameter(std::string_view name) const;
};

// Percent-decoded after it was split. The error says what is wrong: no path, a bad escape, a
// control character in disguise.
Result<HttpTarget> parse_target(std::string_view target);

// For a segment of a path: what has a meaning there, or none, becomes %XX.
std::string escape_segment(std::string_view text);

}  // namespace sluice
