#include "sluice/base/wall_time.h"

#include <fmt/chrono.h>

namespace sluice {
namespace {

constexpr size_t kMillisecondDigits = 3;

}  // namespace

std::string format_rfc3339(WallTime time) {
  using std::chrono::floor;
  const auto second = floor<std::chrono::seconds>(time);
  const auto ms = floor<std::chrono::milliseconds>(time - second).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(second)), ms);
}

std::string_view Rfc3339Writer::text(WallTime time) {
  const WallTime second = std::chrono::floor<std::chrono::seconds>(time);
  if (text_.empty() || second != second_) {
    text_ = format_rfc3339(time);
    second_ = second;
    return text_;
  }
  auto rest = std::chrono::floor<std::chrono::milliseconds>(time - second).count();
  const size_t end = text_.size() - 1;  // of the digits
  for (size_t i = 1; i <= kMillisecondDigits; ++i, rest /= 10) {
    text_[end - i] = static_cast<char>('0' + rest % 10);
  }
  return text_;
}

}  // namespace sluice
