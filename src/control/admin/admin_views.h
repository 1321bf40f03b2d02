// What the admin API shows, as JSON. The shapes are promised in docs/openapi.json. Control loop
// only.
#pragma once

#include <string>

#include "admin_scope.h"
#include "sluice/base/json.h"
#include "sluice/base/wall_time.h"
#include "sluice/core/transition.h"
#include "sluice/proxy/live_session.h"

namespace sluice {

// The present on both clocks.
struct AdminTime {
  TimePoint now;
  WallTime wall;

  WallTime to_wall(TimePoint time) const {
    return wall + std::chrono::duration_cast<WallTime::duration>(time - now);
  }
};

struct AdminStatus {
  std::string_view version;
  TimePoint started_at;
  std::string last_event_id;
};
std::string render_status(const AdminScope& scope, const AdminStatus& status,
                          const AdminTime& time);

std::string render_clusters(const ClusterControls& clusters, const AdminTime& time);
// One backend, as it is among its cluster's; `backend` is one of the cluster's.
std::string render_backend(const ClusterControl& cluster, const Backend& backend,
                           const AdminTime& time);

std::string render_listeners(const std::vector<OpenListener>& listeners);

// Who has told of its sessions.
enum class Coverage : uint8_t { all_workers, some_workers };
std::string render_sessions(const LiveSessions& list, Coverage coverage, const AdminTime& time);

// As data of an event.
std::string render_transition(const Transition& transition, const AdminTime& time);
// The same of what an operator has changed: `kind` is administrative or weight.
struct AdminChange {
  std::string_view kind;
  std::string_view cluster;
  std::string_view backend;
  std::string from;
  std::string to;
};
std::string render_change(const AdminChange& change, const AdminTime& time);

}  // namespace sluice
