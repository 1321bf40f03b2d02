#include "token_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sluice/base/unique_fd.h"

namespace sluice {
namespace {

constexpr size_t kTokenBytesMin = 16;
constexpr size_t kTokenBytesMax = 1024;
constexpr size_t kFileBytesMax = 4096;

Result<std::string> read_all(int fd) {
  std::array<char, kFileBytesMax + 1> text{};
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t bytes = ::read(fd, &text[size], text.size() - size);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return failure(fmt::format("cannot read it: {}", std::strerror(errno)), errno);
    if (bytes == 0) break;
    size += static_cast<size_t>(bytes);
  }
  if (size > kFileBytesMax) {
    return failure(
        fmt::format("it is larger than {} bytes, which no token's file is", kFileBytesMax));
  }
  return std::string(text.data(), size);
}

bool is_regular(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

Result<TokenFile::Reading> TokenFile::read(const std::string& path, Patience patience) {
  const int flags = patience == Patience::none ? O_NONBLOCK : 0;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | flags));
  if (!fd) return failure(fmt::format("cannot open {}: {}", path, std::strerror(errno)), errno);
  const bool is_file = is_regular(fd.get());
  if (patience == Patience::none && !is_file) {
    return failure(fmt::format("{}: it is no file any more", path));
  }
  const auto text = read_all(fd.get());
  auto token = text ? read_token(*text) : text;
  if (!token) {
    return failure(fmt::format("{}: {}", path, token.error().message), token.error().system_error);
  }
  return Reading{.token = std::move(*token), .is_regular = is_file};
}

Result<std::string> read_token(std::string_view file_text) {
  std::string_view token = file_text.substr(0, file_text.find('\n'));
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.remove_suffix(1);
  const bool is_visible =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7F'; });
  if (token.size() < kTokenBytesMin || token.size() > kTokenBytesMax || !is_visible) {
    return failure(
        fmt::format("its first line must be a token of {} to {} visible characters, as "
                    "made by: openssl rand -hex 32",
                    kTokenBytesMin, kTokenBytesMax));
  }
  return std::string(token);
}

Result<std::string> load_token(const std::string& path) {
  auto reading = TokenFile::read(path, TokenFile::Patience::ever);
  if (!reading) return tl::unexpected(reading.error());
  return std::move(reading->token);
}

Result<TokenFile> TokenFile::open(std::string path, TimePoint now) {
  auto reading = read(path, Patience::ever);
  if (!reading) return tl::unexpected(reading.error());
  return TokenFile(std::move(path), std::move(*reading), now);
}

const std::string& TokenFile::token(TimePoint now) {
  if (reading_.is_regular && now - looked_at_ >= kLookAgainAfter) {
    looked_at_ = now;
    look();
  }
  return reading_.token;
}

// It is read, not only looked at: a change within one tick of the file system's clock shows in
// nothing that stat() says.
void TokenFile::look() {
  auto reading = read(path_, Patience::none);
  if (!reading) {
    if (!std::exchange(is_in_trouble_, true)) reports_.on_trouble(reading.error().message);
    return;
  }
  is_in_trouble_ = false;
  if (reading->token == reading_.token) return;
  reading_ = std::move(*reading);
  reports_.on_change();
}

}  // namespace sluice
