#include <algorithm>
#include <vector>

#include "read_value.h"

namespace sluice {
namespace {

// Where a part of a value stands in the file, quotes and escapes aside: both have the same percent
// signs in the same order. Where a variable has brought some more, the whole value is what is
// wrong.
Place place_of(const Node& node, const AccessLogFormat::Problem& problem, std::string_view file) {
  const std::string_view value = node.text;
  const size_t percent = value.rfind('%', problem.offset);
  if (node.place.origin != Place::Origin::text || percent == std::string_view::npos) {
    return node.place;
  }
  auto before =
      std::count(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(percent), '%');
  size_t at = file.find('%', node.place.index);
  for (; before > 0 && at != std::string_view::npos; --before) at = file.find('%', at + 1);
  const size_t within = problem.offset - percent;
  const bool is_the_same = at != std::string_view::npos && file.substr(at).starts_with(value.substr(
                                                               percent, within + problem.bytes));
  return is_the_same ? Place::in_text(at + within, problem.bytes) : node.place;
}

}  // namespace

void read_value(const Node& node, const Type& type, AccessLogFormat& out, Reading& reading) {
  if (node.is_broken) return;
  if (!node.is_scalar()) return reading.complain(node.place, expected(type, node));
  std::string source;
  if (const auto complaint = parse_scalar(node.text, type, source)) {
    return reading.complain(node.place, *complaint);
  }
  std::vector<AccessLogFormat::Problem> problems;
  AccessLogFormat format = AccessLogFormat::compile(source, problems);
  for (const AccessLogFormat::Problem& problem : problems) {
    reading.complain(place_of(node, problem, reading.problems.text()), problem.message);
  }
  if (problems.empty()) out = std::move(format);
}

}  // namespace sluice
