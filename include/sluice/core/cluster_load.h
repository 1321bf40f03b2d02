// What all backends of a cluster count together: connections, and who waits for one. Shared by the
// cluster and its backends, so that a connection that ends after a reload is still counted out.
#pragma once

#include <atomic>
#include <cstdint>

#include "sluice/core/cache_line.h"
#include "sluice/core/pending_queue.h"

namespace sluice {

struct ClusterLoad {
  alignas(kCacheLine) std::atomic<uint32_t> connections{0};
  alignas(kCacheLine) PendingQueue pending;
};

}  // namespace sluice
