#include "sluice/control/descriptors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "sluice/config/log_target.h"

namespace sluice {
namespace {

bool is_writable(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

std::optional<int> stream_of_name(const std::string& path) {
  const LogTarget target = log_target(path);
  if (target == LogTarget::standard_output) return STDOUT_FILENO;
  if (target == LogTarget::standard_error) return STDERR_FILENO;
  return std::nullopt;
}

// The one that `path` leads to.
std::optional<int> standard_stream(const std::string& path) {
  if (const auto stream = stream_of_name(path)) return stream;
  std::error_code is_no_link;
  const std::filesystem::path link = std::filesystem::read_symlink(path, is_no_link);
  if (const auto stream = stream_of_name(link.string())) return stream;
  struct stat named {};
  if (::stat(path.c_str(), &named) != 0 || S_ISREG(named.st_mode)) return std::nullopt;
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat own {};
    const bool is_same =
        ::fstat(fd, &own) == 0 && own.st_dev == named.st_dev && own.st_ino == named.st_ino;
    if (is_same && is_writable(fd)) return fd;
  }
  return std::nullopt;
}

}  // namespace

bool leads_to_standard_stream(const std::string& path) { return standard_stream(path).has_value(); }

void fill_standard_descriptors() {
  // open() takes the lowest free number, so they are filled in order.
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
  }
}

Result<std::vector<UniqueFd>> Descriptors::open_listener(const Address& address, size_t count,
                                                         const ListenOptions& options) {
  auto sockets = sluice::open_listener(address, count, options);
  if (sockets && address.kind() == Address::Kind::unix_path) {
    socket_files_.push_back(address.text());
  }
  return sockets;
}

Result<UniqueFd> Descriptors::open_log(const std::string& path) {
  constexpr mode_t kLogMode = 0640;
  constexpr int kFirstFd = 3;
  const auto stream = standard_stream(path);
  UniqueFd fd(stream ? ::fcntl(*stream, F_DUPFD_CLOEXEC, kFirstFd)
                     : ::open(path.c_str(),
                              O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                              kLogMode));
  if (fd) return fd;
  const int error = errno;
  if (error == ENXIO) {
    return failure(
        fmt::format("cannot open the log file {}: nobody reads from it; start its reader "
                    "first",
                    path),
        error);
  }
  return failure(fmt::format("cannot open the log file {}: {}; check that the directory exists and "
                             "that this user may write there",
                             path, std::strerror(error)),
                 error);
}

void Descriptors::remove_socket_files() {
  for (const std::string& path : std::exchange(socket_files_, {})) ::unlink(path.c_str());
}

Result<std::string> read_file(const std::string& path, size_t bytes_max) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return failure(fmt::format("cannot open {}: {}", path, std::strerror(errno)), errno);
  std::string text;
  std::array<char, 65536> chunk{};
  while (true) {
    const ssize_t bytes = ::read(fd.get(), chunk.data(), chunk.size());
    if (bytes == 0) return text;
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0)
      return failure(fmt::format("cannot read {}: {}", path, std::strerror(errno)), errno);
    text.append(chunk.data(), static_cast<size_t>(bytes));
    if (text.size() > bytes_max) {
      return failure(
          fmt::format("{} is larger than {} bytes, which no configuration is", path, bytes_max));
    }
  }
}

}  // namespace sluice
