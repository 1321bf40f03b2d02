#pragma once

#include <cstddef>

namespace sluice {

// A constant of our own: the standard's changes with compiler flags.
inline constexpr size_t kCacheLine = 64;

}  // namespace sluice
