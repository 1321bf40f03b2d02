// Where a setting stands, for problems that are about more than one.
#pragma once

#include <initializer_list>
#include <string>

#include "problems.h"
#include "read_value.h"

namespace sluice {

// Where the first of these settings that was given stands; null when none was.
inline const Place* given(const Places& places, std::initializer_list<std::string> paths) {
  for (const std::string& path : paths) {
    const auto found = places.find(path);
    if (found != places.end()) return &found->second;
  }
  return nullptr;
}

// Where this one stands; the file as a whole when it was not given.
inline Place place_of(const Places& places, const std::string& path) {
  const Place* place = given(places, {path});
  return place != nullptr ? *place : Place::file();
}

}  // namespace sluice
