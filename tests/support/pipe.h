// A pipe, and all that comes out of it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

#include "sluice/base/unique_fd.h"

namespace sluice {

struct PipeEnds {
  UniqueFd reader;
  UniqueFd writer;
};

// Both ends block, as those of a shell's pipeline do, unless `flags` (pipe2) have it otherwise.
inline PipeEnds make_pipe(int flags = O_CLOEXEC) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), flags), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// Until nobody holds the other end open; of a descriptor that does not block, what is there.
inline std::string read_all(const UniqueFd& fd) {
  std::string text;
  std::array<char, 65536> chunk{};
  for (ssize_t bytes = 0; (bytes = ::read(fd.get(), chunk.data(), chunk.size())) > 0;) {
    text.append(chunk.data(), static_cast<size_t>(bytes));
  }
  return text;
}

}  // namespace sluice
