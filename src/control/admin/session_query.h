// Which sessions a request wants to see: ?limit=, listener=, cluster=, backend= and after=.
#pragma once

#include <tl/expected.hpp>

#include "http_message.h"
#include "http_target.h"
#include "sluice/config/config.h"
#include "sluice/proxy/live_session.h"

namespace sluice {

inline constexpr size_t kSessionsDefault = 100;
inline constexpr size_t kSessionsMax = 1000;  // told of at a time

// Or why not: 400, and 404 for a listener or a cluster that there is not. Any backend may be asked
// for: one that a reload has taken away may still have sessions.
tl::expected<SessionQuery, HttpAnswer> read_session_query(const HttpTarget& target,
                                                          const Config& config);

}  // namespace sluice
