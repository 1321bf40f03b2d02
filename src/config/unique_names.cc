#include "unique_names.h"

#include <fmt/format.h>

#include "given.h"
#include "text.h"

namespace sluice {

void UniqueNames::add(const std::string& name, const std::string& path) {
  if (name.empty()) return;
  const Place* place = given(places_, {path + ".name", path + ".address", path});
  if (place == nullptr) return;
  const auto [first, is_new] = seen_.emplace(name, *place);
  if (is_new) return;
  const int line = problems_.line_of(first->second);
  problems_.error(*place, fmt::format("a {} named '{}' is there already{}", noun_, excerpt(name),
                                      line == 0 ? "" : fmt::format(", on line {}", line)));
}

}  // namespace sluice
