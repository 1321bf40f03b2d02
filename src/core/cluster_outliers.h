// What outlier detection has to say where the cluster records connects and trials. Everything here
// is as without it while the settings have it switched off. Any thread.
#pragma once

#include <cstdint>

#include "sluice/core/backend.h"
#include "sluice/core/circuit_breaker.h"
#include "sluice/core/cluster_snapshot.h"

namespace sluice {

// Null while outlier detection is off.
OutlierWatch* watch_of(const ClusterSettings& settings, const Backend& backend);

// The breaker's settings with the times for an ejected backend, when it is one.
CircuitBreakerSettings settings_of_open_period(const ClusterSettings& settings,
                                               const Backend& backend);

// How often the open period is to be doubled because the backend has opened before.
uint32_t penalty_doublings(const ClusterSettings& settings, const Backend& backend);
// It has opened from closed, once more.
void note_opening(const ClusterSettings& settings, const Backend& backend);

// Probes that pass say nothing against what an ejection was for, nor that a backend which opens
// again and again is well this time: both stay out for their time.
bool may_be_tried_early(const ClusterSettings& settings, const Backend& backend);

}  // namespace sluice
