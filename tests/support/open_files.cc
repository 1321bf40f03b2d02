#include "open_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace sluice {
namespace {

constexpr const char* kOpenFiles = "/proc/self/fd";

}  // namespace

size_t count_open_files() {
  const std::filesystem::directory_iterator files(kOpenFiles);
  return static_cast<size_t>(std::distance(begin(files), end(files)));
}

std::string describe_open_files() {
  std::string text;
  for (const auto& file : std::filesystem::directory_iterator(kOpenFiles)) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(file.path(), gone);
    if (!gone) text += fmt::format("{} -> {}\n", file.path().filename().string(), target.string());
  }
  return text;
}

}  // namespace sluice
