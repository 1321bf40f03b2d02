// What is read is forgotten and what is sent is the same for all, so one block serves everybody.
#pragma once

#include <array>
#include <cstddef>

namespace sluice::bench {

alignas(64) inline std::array<char, size_t{256} * 1024> block{};

}  // namespace sluice::bench
