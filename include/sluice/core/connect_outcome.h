// How one connect to a backend went. The words are those of logs and metrics.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice {

enum class ConnectOutcome : uint8_t {
  connected,
  refused,
  timeout,
  unreachable,
  reset,         // by the peer, before the connection was established
  self_connect,  // a simultaneous open with ourselves: nobody listens there
  local_error,   // our own lack of descriptors, ports, memory or permission
  abandoned,     // cut short by us: the connect deadline or shutdown
};

inline constexpr std::array<std::string_view, 8> kConnectOutcomeNames = {
    "connected", "refused",      "timeout",     "unreachable",
    "reset",     "self_connect", "local_error", "abandoned"};

constexpr std::string_view name(ConnectOutcome outcome) {
  return kConnectOutcomeNames[static_cast<size_t>(outcome)];
}

// Whether the outcome speaks against the backend. What we lacked ourselves or gave up never does.
constexpr bool is_backend_failure(ConnectOutcome outcome) {
  return outcome != ConnectOutcome::connected && outcome != ConnectOutcome::local_error &&
         outcome != ConnectOutcome::abandoned;
}

}  // namespace sluice
