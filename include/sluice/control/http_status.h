// The status of an HTTP/1 answer that comes in pieces. Boost.Beast reads the lines; what is here is
// when to hand it which.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

struct HttpStatus {
  enum class State : uint8_t { incomplete, complete, malformed };
  State state = State::incomplete;
  unsigned code = 0;         // when complete
  size_t skipped_bytes = 0;  // at the front, of 1xx answers: they need not be shown again
};

// What the answer at the front of `bytes` says, as soon as its status line is there: headers and
// body may still come. Answers with 1xx before it are skipped, but 101, after which HTTP would be
// over. One whose lines are longer than 8 KiB together is malformed.
HttpStatus read_http_status(std::string_view bytes);

}  // namespace sluice
