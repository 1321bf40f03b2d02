// One thing that is wrong, or odd, in a configuration, and where.
#pragma once

#include <cstdint>
#include <string>

namespace sluice {

enum class Severity : uint8_t { error, warning };

struct Problem {
  Severity severity = Severity::error;
  int line = 0;    // from 1; 0: about the file as a whole, or about an override
  int column = 0;  // from 1, in characters
  int width = 0;   // characters to underline, at least 1 where there is a line
  std::string message;

  friend bool operator==(const Problem&, const Problem&) = default;
};

}  // namespace sluice
