// The token in admin.token_file, as it is there now: looked at again, while somebody needs it, at
// most once a second. What was read last in good order stays in force while the file is gone,
// unreadable or has no token in it, so that a bad moment locks nobody out and lets nobody in. One
// thread; nothing here tells anybody the token but its owner.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/base/result.h"
#include "sluice/base/time.h"

namespace sluice {

// The token in the text of a token_file: its first line, of 16 to 1024 visible characters.
Result<std::string> read_token(std::string_view file_text);

// The token in that file of 4 KiB at most, read once; a pipe will do.
Result<std::string> load_token(const std::string& path);

class TokenFile {
 public:
  static constexpr Duration kLookAgainAfter = std::chrono::seconds(1);
  struct Reports {
    std::function<void()> on_change;
    std::function<void(std::string_view why)> on_trouble;  // once, until all is well again
  };

  // Reads it for the first time; an error when there is no token. A pipe will do, but can be read
  // this once only.
  static Result<TokenFile> open(std::string path, TimePoint now);

  void set_reports(Reports reports) { reports_ = std::move(reports); }

  const std::string& path() const { return path_; }
  const std::string& token(TimePoint now);

 private:
  friend Result<std::string> load_token(const std::string& path);

  struct Reading {
    std::string token;
    bool is_regular = true;  // else it can be read once only
  };
  // How long to wait for a pipe's writer. The loop must not: one may have taken the file's place.
  enum class Patience : uint8_t { none, ever };
  static Result<Reading> read(const std::string& path, Patience patience);

  TokenFile(std::string path, Reading reading, TimePoint now)
      : path_(std::move(path)), reading_(std::move(reading)), looked_at_(now) {}
  void look();

  std::string path_;
  Reading reading_;
  Reports reports_{.on_change = [] {}, .on_trouble = [](std::string_view) {}};
  TimePoint looked_at_;
  bool is_in_trouble_ = false;
};

}  // namespace sluice
