// What a policy that looks at the client goes by: its address or, for a client without one (on a
// unix socket), a number drawn for this pick.
#pragma once

#include <cstdint>

#include "sluice/base/random.h"
#include "sluice/core/pick_request.h"
#include "stable_hash.h"

namespace sluice {

inline uint64_t client_key(const PickRequest& request, const BalanceSettings& settings,
                           Random& random) {
  return request.client.is_none() ? random.next() : client_key(request.client, settings);
}

}  // namespace sluice
