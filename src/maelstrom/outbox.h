// What a node wants said: lines for its output, complaints about its input for stderr.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace sluice {

struct Outbox {
  static constexpr size_t kBytesMax = size_t{1} << 20U;

  std::string lines;                    // messages, each with its newline
  std::vector<std::string> complaints;  // about what came in
  bool is_reader_behind = false;        // set by whoever passes the lines on

  // Answers are always written; what the node says of its own accord can wait.
  bool is_full() const { return is_reader_behind || lines.size() > kBytesMax; }
};

}  // namespace sluice
