// Files that do not go together: the state file is replaced as a whole again and again, so whatever
// else is at its path would be lost.
#pragma once

#include "problems.h"
#include "read_value.h"
#include "sluice/config/config.h"

namespace sluice {

void validate_files(const Config& config, const Places& places, Problems& problems);

}  // namespace sluice
