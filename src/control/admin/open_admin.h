// From the configuration to a running admin side: its token, its socket.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "admin_scope.h"
#include "admin_server.h"
#include "sluice/base/result.h"
#include "sluice/control/descriptors.h"

namespace sluice {

// Who is told where it listens; may be empty.
using AdminListening = std::function<void(const Address&)>;

// Nothing when there is to be none. Says in the log, too, where it listens.
Result<std::unique_ptr<AdminServer>> open_admin(AdminScope scope, Descriptors& descriptors,
                                                uint32_t connections_max,
                                                const AdminListening& on_listening);

}  // namespace sluice
