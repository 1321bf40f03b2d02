// JSON sets no bounds to numbers, simdjson does: 64 bits for an integer, a double for the rest.
// What a node only carries along need not fit.
#pragma once

#include <span>

namespace sluice {

// Overwrites each number of a JSON text that no 64-bit integer and no double can hold with `0.0`
// and spaces, in place. Anything else, malformed numbers included, stays. Whether there was one.
bool replace_large_numbers(std::span<char> json);

}  // namespace sluice
