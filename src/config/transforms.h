// What happens to the tree between parsing and reading.
#pragma once

#include <span>

#include "document.h"
#include "problems.h"
#include "sluice/config/reader.h"

namespace sluice {

// Puts each override's value where its path leads, making maps on the way where there are none.
void apply_overrides(std::span<const Override> overrides, Document& document, Problems& problems);

// Replaces `${NAME}`, `${NAME:-default}` and `$$` in every value.
void substitute_variables(const Environment& environment, Document& document, Problems& problems);

}  // namespace sluice
