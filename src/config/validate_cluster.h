// What belongs together in one cluster.
#pragma once

#include <string>

#include "problems.h"
#include "read_value.h"
#include "sluice/config/config.h"

namespace sluice {

// `path` is the cluster's, as in `places`.
void validate_cluster(const ClusterConfig& cluster, const std::string& path, const Places& places,
                      Problems& problems);

}  // namespace sluice
