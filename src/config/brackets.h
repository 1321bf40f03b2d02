// Which brackets and braces are open, by a look at the text alone: for messages about syntax that
// the parser has already given up on. Near enough to YAML for that, and for nothing else.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace sluice {

// Offsets of the brackets and braces of flow collections that are open at `end`, outermost first.
std::vector<size_t> open_brackets(std::string_view text, size_t end);

}  // namespace sluice
