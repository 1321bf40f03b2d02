// Problems as a person reads them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sluice/config/problem.h"

namespace sluice {

// Each problem as `file:line:column: error: message`, the line and a caret, then how many there
// were. Nothing for no problems. `text` is what was read.
std::string render_problems(std::string_view file_name, std::string_view text,
                            std::span<const Problem> problems);

// `2 errors, 1 warning`.
std::string count_problems(std::span<const Problem> problems);

}  // namespace sluice
