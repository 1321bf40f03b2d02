// libFuzzer entry for templates of the access log: whatever the text, each problem is within it,
// and a template that is right, written anew from its pieces, is the same one.
//
//   fuzz-access-format -max_total_time=300 CORPUS tests/fuzz/corpus/access_format
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/access_log_format.h"

namespace {

using sluice::AccessLogFormat;
using sluice::kAccessFieldNames;

std::string rewritten(const AccessLogFormat& format) {
  std::string source;
  for (const AccessLogFormat::Piece& piece : format.pieces()) {
    for (const char c : piece.text) source += c == '%' ? std::string("%%") : std::string(1, c);
    if (!piece.field) continue;
    source += "%{";
    source += kAccessFieldNames[static_cast<size_t>(*piece.field)];
    source += "}";
  }
  return source;
}

void demand(bool is_so) {
  if (!is_so) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<AccessLogFormat::Problem> problems;
  const AccessLogFormat format = AccessLogFormat::compile(text, problems);
  for (const AccessLogFormat::Problem& problem : problems) {
    demand(problem.offset <= size && problem.bytes <= size - problem.offset);
    demand(!problem.message.empty());
  }
  if (!problems.empty() || format.kind() != AccessLogFormat::Kind::custom) return 0;
  for (const AccessLogFormat::Piece& piece : format.pieces()) {
    demand(std::none_of(piece.text.begin(), piece.text.end(), [](char c) { return c == '\n'; }));
  }
  const AccessLogFormat again = AccessLogFormat::compile(rewritten(format), problems);
  demand(problems.empty() && again.pieces() == format.pieces());
  return 0;
}
