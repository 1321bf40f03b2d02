// Why a session ended: one word each, the same in the access log, in metrics and in the admin API.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice {

enum class EndReason : uint8_t {
  client_closed,
  backend_closed,
  client_reset,
  backend_reset,
  idle_timeout,
  half_close_timeout,
  max_duration,
  no_backend,
  connect_failed,
  limit,
  draining,
  backend_unhealthy,
  denied,
  protocol_error,
  resource,
  shutdown,
};

inline constexpr std::array<std::string_view, 16> kEndReasonNames = {
    "client_closed", "backend_closed", "client_reset",
    "backend_reset", "idle_timeout",   "half_close_timeout",
    "max_duration",  "no_backend",     "connect_failed",
    "limit",         "draining",       "backend_unhealthy",
    "denied",        "protocol_error", "resource",
    "shutdown"};

constexpr std::string_view name(EndReason reason) {
  return kEndReasonNames[static_cast<size_t>(reason)];
}

// The reasons for which a client is turned away: it never got a backend.
inline constexpr std::array kRejections{EndReason::no_backend,     EndReason::connect_failed,
                                        EndReason::limit,          EndReason::denied,
                                        EndReason::protocol_error, EndReason::resource};

}  // namespace sluice
