// What can fail in the world returns a Result: the value, or an Error that says what was attempted,
// what happened and, where there is something to do, what to do.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace sluice {

struct Error {
  std::string message;   // one sentence without a full stop, fit for a user
  int system_error = 0;  // errno, when the kernel said no
};

template <typename T>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> failure(std::string message, int system_error = 0) {
  return tl::unexpected<Error>(Error{std::move(message), system_error});
}

}  // namespace sluice
