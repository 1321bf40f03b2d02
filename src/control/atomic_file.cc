#include "sluice/control/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "sluice/base/unique_fd.h"

namespace sluice {
namespace {

constexpr mode_t kMode = 0600;

tl::unexpected<Error> cannot(std::string_view what, const std::string& path) {
  const int error = errno;
  return failure(fmt::format("cannot {} {}: {}", what, path, std::strerror(error)), error);
}

std::string temporary_of(const std::string& path) { return path + ".tmp"; }

// What an earlier process left there may have another owner's rights: it is made anew.
UniqueFd create_temporary(const std::string& path) {
  const std::string temporary = temporary_of(path);
  ::unlink(temporary.c_str());
  return UniqueFd(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode));
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t bytes = ::write(fd, text.data(), text.size());
    if (bytes < 0 && errno != EINTR) return false;
    if (bytes > 0) text.remove_prefix(static_cast<size_t>(bytes));
  }
  return true;
}

// Makes the rename itself durable. Some file systems cannot; then the old text may come back, which
// is no part of one either.
void sync_directory_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  const std::string directory = parent.empty() ? "." : parent.string();
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) ::fsync(fd.get());
}

}  // namespace

Result<void> replace_file(const std::string& path, std::string_view text) {
  const std::string temporary = temporary_of(path);
  const UniqueFd fd = create_temporary(path);
  if (!fd) return cannot("create", temporary);
  if (!write_all(fd.get(), text)) return cannot("write", temporary);
  if (::fsync(fd.get()) != 0) return cannot("write", temporary);
  if (::rename(temporary.c_str(), path.c_str()) != 0) return cannot("replace", path);
  sync_directory_of(path);
  return {};
}

Result<void> check_replaceable(const std::string& path) {
  const std::string temporary = temporary_of(path);
  const UniqueFd fd = create_temporary(path);
  if (!fd) return cannot("create", temporary);
  ::unlink(temporary.c_str());
  return {};
}

}  // namespace sluice
