// Strange text in a message for a person: as a JSON string, so that it cannot mess up a terminal,
// and not all of it.
#pragma once

#include <string>
#include <string_view>

#include "sluice/base/json.h"

namespace sluice {

inline std::string quoted_excerpt(std::string_view text) {
  constexpr size_t kExcerptBytes = 80;
  std::string quoted;
  append_json_string(quoted, text.substr(0, kExcerptBytes));
  if (text.size() > kExcerptBytes) quoted += "...";
  return quoted;
}

}  // namespace sluice
