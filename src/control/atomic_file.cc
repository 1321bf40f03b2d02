#include "sluice/control/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "sluice/base/unique_fd.h"

namespace sluice {
namespace {

tl::unexpected<Error> cannot(std::string_view what, const std::string& path) {
  const int error = errno;
  return failure(fmt::format("cannot {} {}: {}", what, path, std::strerror(error)), error);
}

constexpr std::string_view kTemporary = ".tmp.";
constexpr size_t kRandomLetters = 6;  // that mkstemp(3) puts behind it

// A new file beside `path`, open for writing and gone again with this object. mkostemp() makes it
// for this user only.
class Temporary {
 public:
  explicit Temporary(const std::string& path)
      : name_(fmt::format("{}{}XXXXXX", path, kTemporary)),
        fd_(::mkostemp(name_.data(), O_CLOEXEC)) {}
  ~Temporary() {
    if (fd_) ::unlink(name_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  explicit operator bool() const { return static_cast<bool>(fd_); }
  int fd() const { return fd_.get(); }

  bool rename_to(const std::string& path) {
    if (::rename(name_.c_str(), path.c_str()) != 0) return false;
    fd_.reset();
    return true;
  }

 private:
  std::string name_;
  UniqueFd fd_;
};

std::string directory_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

void remove_temporaries(const std::string& path) {
  const std::string prefix =
      std::filesystem::path(path).filename().string() + std::string(kTemporary);
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory_of(path), error), end;
       !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool is_ours = name.starts_with(prefix) && name.size() == prefix.size() + kRandomLetters;
    if (is_ours) ::unlink(entry->path().c_str());
  }
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
  const UniqueFd fd(::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) ::fsync(fd.get());
}

}  // namespace

Result<void> replace_file(const std::string& path, std::string_view text) {
  Temporary temporary(path);
  if (!temporary) return cannot("create a file beside", path);
  if (!write_all(temporary.fd(), text) || ::fsync(temporary.fd()) != 0) {
    return cannot("write a file beside", path);
  }
  if (!temporary.rename_to(path)) return cannot("replace", path);
  sync_directory_of(path);
  return {};
}

Result<void> check_replaceable(const std::string& path) {
  remove_temporaries(path);
  if (!Temporary(path)) return cannot("create a file beside", path);
  return {};
}

}  // namespace sluice
