// What no single row can see: names used twice, references that lead nowhere, settings that do not
// go together.
#pragma once

#include "problems.h"
#include "read_value.h"
#include "sluice/config/config.h"

namespace sluice {

void validate(const Config& config, const Places& places, Problems& problems);

}  // namespace sluice
