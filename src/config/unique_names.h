// The names of one kind of thing, of which no two may be the same.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "problems.h"
#include "read_value.h"

namespace sluice {

class UniqueNames {
 public:
  // All of them outlive this object. `noun` says in a problem what is named.
  UniqueNames(std::string_view noun, const Places& places, Problems& problems)
      : noun_(noun), places_(places), problems_(problems) {}

  // The name of what stands at `path`; one that was there already is an error.
  void add(const std::string& name, const std::string& path);

  bool contains(std::string_view name) const { return seen_.contains(name); }

 private:
  const std::string_view noun_;
  const Places& places_;
  Problems& problems_;
  std::map<std::string, Place, std::less<>> seen_;
};

}  // namespace sluice
