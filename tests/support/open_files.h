// Counts this process's descriptors from outside, in /proc, to find leaks.
#pragma once

#include <cstddef>
#include <string>

namespace sluice {

size_t count_open_files();
// What they are, for a message: "3 -> socket:[123]" a line.
std::string describe_open_files();

}  // namespace sluice
