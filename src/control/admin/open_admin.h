// From the configuration to a running admin side: its token, its socket.
#pragma once

#include <cstdint>
#include <memory>

#include "admin_scope.h"
#include "admin_server.h"
#include "sluice/base/result.h"
#include "sluice/control/descriptors.h"

namespace sluice {

// Nothing when there is to be none. Says in the log where it listens.
Result<std::unique_ptr<AdminServer>> open_admin(AdminScope scope, Descriptors& descriptors,
                                                uint32_t connections_max);

}  // namespace sluice
