// The sockets of the listeners, opened together before any is used.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/base/unique_fd.h"
#include "sluice/config/config.h"
#include "sluice/control/descriptors.h"
#include "sluice/control/process_log.h"
#include "sluice/proxy/listener.h"

namespace sluice {

// Of one address of a listener.
struct ListeningSockets {
  std::shared_ptr<Listener> listener;
  std::vector<std::shared_ptr<UniqueFd>> fds;  // one per worker, or one for all
};

Result<std::vector<ListeningSockets>> open_listeners(const std::vector<ListenerConfig>& listeners,
                                                     uint32_t workers, Descriptors& descriptors,
                                                     ProcessLog& log);

}  // namespace sluice
