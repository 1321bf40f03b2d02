#include "brackets.h"

#include <algorithm>

#include "text.h"

namespace sluice {
namespace {

bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

// Whether a value may begin at `offset`: inside a plain text brackets and quotes mean nothing.
bool begins_token(std::string_view text, size_t offset) {
  return offset == 0 || is_one_of(text[offset - 1], " \t\n[{,:");
}

}  // namespace

std::vector<size_t> open_brackets(std::string_view text, size_t end) {
  std::vector<size_t> open;
  size_t at = 0;
  while (at < std::min(end, text.size())) {
    const char c = text[at];
    const bool may_begin = begins_token(text, at);
    if (may_begin && is_one_of(c, "\"'")) {
      at += quoted_length(text.substr(at)).value_or(text.size());
      continue;
    }
    if (c == '#' && may_begin) {
      at = std::min(text.find('\n', at), text.size());
      continue;
    }
    if (is_one_of(c, "[{") && (may_begin || !open.empty())) open.push_back(at);
    if (is_one_of(c, "]}") && !open.empty()) open.pop_back();
    ++at;
  }
  return open;
}

}  // namespace sluice
