// What no single row can see about the two logs.
#pragma once

#include "problems.h"
#include "read_value.h"
#include "sluice/config/config.h"

namespace sluice {

void validate_logs(const Config& config, const Places& places, Problems& problems);

}  // namespace sluice
