// What this machine and this user's limits allow: processors and descriptors.
#pragma once

#include <cstdint>
#include <optional>

#include "sluice/base/result.h"
#include "sluice/config/config.h"

namespace sluice {

// Processors this process may use: the affinity mask, and the cgroup's CPU quota rounded up.
uint32_t usable_processors();

// Raises the soft limit of open files to the hard one (at most 1 Mi) and returns it.
uint64_t raise_descriptor_limit();

// Raises the limit, and an error when even so it is too low for the program to begin.
Result<void> check_descriptor_floor();

// How the descriptors are to be spent.
struct DescriptorPlan {
  uint32_t connections_max = 0;  // sessions of the whole process: two descriptors each
  uint32_t pipes_max = 0;        // of all workers together: two descriptors each
  uint32_t admin_connections_max = 0;
};

struct DescriptorNeeds {
  uint64_t limit = 0;  // of open files
  uint32_t open = 0;   // already
  uint32_t workers = 0;
  uint32_t listening_sockets = 0;
  uint32_t backends = 0;  // one probe each
  bool has_admin = false;
  std::optional<uint32_t> max_connections;  // as configured; no value: as many as fit
};

// What a process of that configuration needs from here on; raises the limit.
DescriptorNeeds descriptor_needs(const Config& config, uint32_t workers);

// Pure arithmetic. An error when the configured number of sessions, or any useful number, does not
// fit: it says which limit to raise and to what.
Result<DescriptorPlan> plan_descriptors(const DescriptorNeeds& needs);

// Descriptors this process has open now.
uint32_t open_descriptors();

// net.core.somaxconn: the kernel's bound on a listen backlog.
uint32_t listen_backlog_max();

}  // namespace sluice
