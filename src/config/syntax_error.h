// What yaml-cpp says about wrong syntax, in words that tell a person what to write instead.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

// Where and how the parser gave up.
struct SyntaxFailure {
  std::string_view text;
  size_t offset = 0;
  std::string_view message;
  size_t last_offset = 0;  // of the last thing it understood
};

struct SyntaxError {
  size_t offset = 0;
  size_t bytes = 0;  // 0: the token there
  std::string message;
};

constexpr std::string_view kUnclosedQuote = "the text in quotes that begins here does not end";

// Our own message to it, of what YAML allows and a configuration does not.
constexpr std::string_view kCollectionAsKey = "a list or map as a key";

SyntaxError explain_syntax_error(const SyntaxFailure& failure);

}  // namespace sluice
