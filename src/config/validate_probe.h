// What belongs together in one cluster's health_check.
#pragma once

#include <string>

#include "problems.h"
#include "read_value.h"
#include "sluice/config/config.h"

namespace sluice {

// `section` is the path of the health_check, as in `places`.
void validate_probe(const HealthCheckConfig& check, const std::string& section,
                    const Places& places, Problems& problems);

}  // namespace sluice
