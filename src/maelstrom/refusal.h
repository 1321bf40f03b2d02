// Why a request is answered with an error, in Maelstrom's codes, and what a request is answered
// with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace sluice {

// Of these only `timeout` leaves it open whether the request was carried out.
enum class ErrorCode : uint8_t {
  timeout = 0,
  not_supported = 10,
  unavailable = 11,
  malformed_request = 12,
};

struct Refusal {
  int64_t code;  // one of ours, or whatever the answer carried that is passed on
  std::string text;
};

// The members that the body of an `..._ok` has besides the usual ones, each with a comma before it.
using Answer = tl::expected<std::string, Refusal>;

// Nothing: it will be answered later, or has been.
using Handled = std::optional<Answer>;

inline tl::unexpected<Refusal> refuse(ErrorCode code, std::string text) {
  return tl::unexpected(Refusal{static_cast<int64_t>(code), std::move(text)});
}

}  // namespace sluice
