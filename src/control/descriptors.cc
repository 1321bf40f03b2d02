#include "sluice/control/descriptors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sluice {

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
  if (path == "stderr") return UniqueFd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  if (path == "stdout") return UniqueFd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  constexpr mode_t kLogMode = 0640;
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kLogMode));
  if (fd) return fd;
  const int error = errno;
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
