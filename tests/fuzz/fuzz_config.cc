// libFuzzer entry for the configuration reader. Whatever the bytes, it must return; and what it
// accepts must, written out in full, be accepted again as the same.
//
//   fuzz-config -max_total_time=300 CORPUS tests/fuzz/corpus/config
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/reader.h"
#include "sluice/config/report.h"
#include "sluice/config/schema.h"

namespace {

using sluice::Override;
using sluice::ReadResult;

std::optional<std::string> variable(std::string_view name) {
  if (name == "A") return "10.0.0.1:80";
  if (name == "B") return "";
  return std::nullopt;
}

void check(bool is_true) {
  if (!is_true) std::abort();
}

void check_places(std::string_view text, const ReadResult& result) {
  for (const sluice::Problem& problem : result.problems) {
    check(problem.line >= 0 && static_cast<size_t>(problem.line) <= text.size() + 1);
    check(problem.line == 0 || (problem.column >= 1 && problem.width >= 1));
    check(!problem.message.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  // Lines of `path=value` after a line of its own are overrides.
  constexpr std::string_view kSeparator = "\n--set\n";
  std::vector<Override> overrides;
  if (const size_t at = text.find(kSeparator); at != std::string_view::npos) {
    const std::string_view given = text.substr(at + kSeparator.size());
    const size_t equals = given.find('=');
    if (equals != std::string_view::npos) {
      overrides.push_back(
          {std::string(given.substr(0, equals)), std::string(given.substr(equals + 1))});
    }
    text = text.substr(0, at);
  }
  const ReadResult result = sluice::read_config(text, variable, overrides);
  check_places(text, result);
  sluice::render_problems("fuzz", text, result.problems);
  if (!result.config) return 0;
  const std::string effective = sluice::render_effective_config(*result.config);
  const ReadResult again = sluice::read_config(effective, variable);
  check(again.config.has_value());
  check(sluice::render_effective_config(*again.config) == effective);
  return 0;
}
