#include "syntax_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "brackets.h"

namespace sluice {
namespace {

constexpr auto npos = std::string_view::npos;

struct Line {
  size_t start;
  std::string_view text;
};

Line line_at(std::string_view text, size_t offset) {
  const size_t before = offset == 0 ? npos : text.rfind('\n', offset - 1);
  const size_t start = before == npos ? 0 : before + 1;
  return {start, text.substr(start, std::min(text.find('\n', start), text.size()) - start)};
}

// yaml-cpp's words, and ours. The first that is part of its message counts.
constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kExplanations = {{
    {"illegal map value",
     "a ':' cannot stand here; a text that holds ': ' needs quotes, and what "
     "belongs to a key stands further right"},
    {"illegal block entry", "a '-' cannot stand here: check the indentation"},
    {"illegal map key", "a '?' cannot stand here"},
    {"illegal flow end", "this bracket closes nothing"},
    {"end of map flow not found", "a ',' or '}' is missing here"},
    {"end of sequence flow not found", "a ',' or ']' is missing here"},
    {"end of map not found",
     "this does not belong to the settings above it: check the indentation"},
    {"end of sequence not found",
     "this does not belong to the list above it: check the indentation"},
    {"unknown token", "a text cannot begin with this character: put it in quotes"},
    {"unknown escape character", "no such escape in double quotes; a backslash itself is \\\\"},
    {"the referenced anchor is not defined",
     "no anchor of that name; a text that begins with '*' "
     "needs quotes"},
    {"cannot assign multiple anchors", "a value has one anchor at most"},
    {"cannot assign multiple tags", "YAML tags have no use here: write the value alone"},
    {"invalid unicode",
     "no such character; JSON's surrogate pairs are not YAML: write the character "
     "itself, or \\U and eight digits"},
    {kCollectionAsKey, "a list or map cannot be a key"},
    {"illegal tab", "a tab cannot indent: use spaces"},
    {"illegal document indicator", "a new document cannot begin inside a text in quotes"},
}};

std::string plain_explanation(std::string_view message) {
  for (const auto& [theirs, ours] : kExplanations) {
    if (message.find(theirs) != npos) return std::string(ours);
  }
  return fmt::format("not YAML: {}", message);
}

// `*:80`, `* :80` and the like.
std::optional<SyntaxError> explain_star(const SyntaxFailure& failure) {
  const Line line = line_at(failure.text, failure.offset);
  const size_t star = line.text.find("*:");
  if (star == npos || failure.offset > line.start + star + 2) return std::nullopt;
  const size_t port_end =
      std::min(line.text.find_first_not_of("0123456789", star + 2), line.text.size());
  const std::string_view port = line.text.substr(star + 2, port_end - star - 2);
  if (port.empty()) return std::nullopt;
  return SyntaxError{line.start + star, port_end - star,
                     fmt::format("'*' begins an alias in YAML; for every address of this machine "
                                 "write 0.0.0.0:{0} or \"[::]:{0}\"",
                                 port)};
}

// An unquoted `[::1]:80` is a list of one to YAML, with something odd after it.
std::optional<SyntaxError> explain_ipv6(const SyntaxFailure& failure) {
  const Line line = line_at(failure.text, failure.offset);
  for (size_t open = line.text.find('['); open != npos; open = line.text.find('[', open + 1)) {
    if (open > 0 && (line.text[open - 1] == '"' || line.text[open - 1] == '\'')) continue;
    const size_t close = line.text.find_first_not_of("0123456789abcdefABCDEF:.%", open + 1);
    if (close == npos || line.text.substr(close, 2) != "]:") continue;
    if (line.text.substr(open, close - open).find(':') == npos) continue;
    const size_t end =
        std::min(line.text.find_first_not_of("0123456789", close + 2), line.text.size());
    return SyntaxError{
        line.start + open, end - open,
        fmt::format("an IPv6 address needs quotes: \"{}\"", line.text.substr(open, end - open))};
  }
  return std::nullopt;
}

// Inside {} and [] the brace of `${NAME}` is YAML's.
std::optional<SyntaxError> explain_variable(const SyntaxFailure& failure) {
  const Line line = line_at(failure.text, failure.offset);
  const size_t upto = failure.offset - line.start;
  const size_t dollar = line.text.substr(0, upto + 2).rfind("${");
  if (dollar == npos || upto - dollar > 1) return std::nullopt;
  const size_t end = line.text.find('}', dollar);
  if (end == npos || open_brackets(failure.text, line.start + dollar).empty()) return std::nullopt;
  const std::string_view variable = line.text.substr(dollar, end + 1 - dollar);
  return SyntaxError{line.start + dollar, variable.size(),
                     fmt::format("inside {{}} and [] a variable needs quotes: \"{}\"", variable)};
}

std::optional<SyntaxError> explain_tab(const SyntaxFailure& failure) {
  const Line line = line_at(failure.text, failure.offset);
  const size_t indentation = std::min(line.text.find_first_not_of(" \t"), line.text.size());
  const size_t tab = line.text.substr(0, indentation).find('\t');
  if (tab == npos) return std::nullopt;
  return SyntaxError{line.start + tab, 1, "a tab cannot indent: use spaces"};
}

// A quote that does not end is noticed at the end of the text, and is news where it begins.
std::optional<SyntaxError> explain_quote(const SyntaxFailure& failure) {
  if (failure.message.find("EOF") == npos) return std::nullopt;
  const size_t quote = failure.text.find_first_of("\"'", failure.last_offset);
  if (quote == npos) return std::nullopt;
  return SyntaxError{quote, 1, std::string(kUnclosedQuote)};
}

std::string describe_bracket(const SyntaxFailure& failure, size_t offset) {
  const std::string_view before = failure.text.substr(0, offset);
  return fmt::format("the '{}' on line {}", failure.text[offset],
                     std::count(before.begin(), before.end(), '\n') + 1);
}

// What is wrong inside a flow collection is often that one was not closed, far above.
std::optional<SyntaxError> explain_brackets(const SyntaxFailure& failure) {
  const std::vector<size_t> open = open_brackets(failure.text, failure.offset);
  if (failure.message.find("illegal flow end") != npos && !open.empty()) {
    return SyntaxError{
        failure.offset, 1,
        fmt::format("this '{}' does not close {}", failure.text.substr(failure.offset, 1),
                    describe_bracket(failure, open.back()))};
  }
  const bool is_key = failure.message == kCollectionAsKey;
  if (!is_key && failure.message.find("flow not found") == npos) return std::nullopt;
  const bool is_at_end = failure.text.find_first_not_of(" \t\r\n", failure.offset) == npos;
  if (is_key || is_at_end) {
    const std::vector<size_t> unclosed = open_brackets(failure.text, failure.text.size());
    if (unclosed.empty()) return std::nullopt;
    return SyntaxError{unclosed.back(), 1,
                       fmt::format("this '{}' is never closed", failure.text[unclosed.back()])};
  }
  if (open.empty()) return std::nullopt;
  return SyntaxError{failure.offset, 0,
                     fmt::format("a ',' is missing here, or {} is not closed before",
                                 describe_bracket(failure, open.back()))};
}

}  // namespace

SyntaxError explain_syntax_error(const SyntaxFailure& given) {
  SyntaxFailure failure = given;
  failure.offset = std::min(failure.offset, failure.text.size());
  for (const auto explain : {explain_star, explain_ipv6, explain_variable, explain_tab,
                             explain_quote, explain_brackets}) {
    if (auto error = explain(failure)) return *error;
  }
  return {failure.offset, 0, plain_explanation(failure.message)};
}

}  // namespace sluice
