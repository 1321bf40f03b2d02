#include "sluice/config/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "text.h"

namespace sluice {
namespace {

// A configuration on one line (JSON from a machine) shows its part around the problem.
constexpr size_t kShownCharactersMax = 120;
constexpr size_t kShownBefore = 40;

std::string_view nth_line(std::string_view text, int number) {
  size_t start = 0;
  for (int i = 1; i < number && start < text.size(); ++i) {
    start = std::min(text.find('\n', start), text.size() - 1) + 1;
  }
  const std::string_view rest = text.substr(std::min(start, text.size()));
  return without_carriage_return(rest.substr(0, rest.find('\n')));
}

// Where the character after the first `count` begins.
size_t skip_characters(std::string_view line, size_t count) {
  size_t offset = 0;
  for (; offset < line.size(); ++offset) {
    const bool begins = (static_cast<uint8_t>(line[offset]) & 0xC0U) != 0x80U;
    if (begins && count-- == 0) break;
  }
  return offset;
}

// The line's characters, each a string; what a terminal could act on is shown as '?'.
std::vector<std::string> characters(std::string_view line) {
  std::vector<std::string> out;
  for (const char c : line) {
    const bool continues = (static_cast<uint8_t>(c) & 0xC0U) == 0x80U && !out.empty();
    if (continues) {
      out.back() += c;
    } else {
      const bool is_control = (static_cast<uint8_t>(c) < 0x20 && c != '\t') || c == 0x7F;
      out.emplace_back(1, is_control ? '?' : c);
    }
  }
  for (std::string& character : out) {
    if (find_invalid_utf8(character)) character = "?";
  }
  return out;
}

std::string render_line(std::string_view text, const Problem& problem) {
  const std::string_view line = nth_line(text, problem.line);
  const size_t column = static_cast<size_t>(problem.column) - 1;
  const size_t length = count_characters(line);
  const size_t begin =
      length > kShownCharactersMax && column > kShownBefore ? column - kShownBefore : 0;
  const size_t end = std::min(length, begin + kShownCharactersMax);
  const size_t offset = skip_characters(line, begin);
  std::string shown = begin > 0 ? "..." : "";
  std::string blank = begin > 0 ? "   " : "";
  size_t at = begin;
  for (const std::string& character :
       characters(line.substr(offset, skip_characters(line.substr(offset), end - begin)))) {
    shown += character;
    if (at++ < column) blank += character == "\t" ? '\t' : ' ';
  }
  const size_t room = std::max(end, column + 1) - column;
  const size_t width = std::clamp<size_t>(static_cast<size_t>(problem.width), 1, room);
  return fmt::format("{:5} | {}{}\n      | {}^{:~>{}}\n", problem.line, shown,
                     end < length ? "..." : "", blank, "", width - 1);
}

std::string counted(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

std::string count_problems(std::span<const Problem> problems) {
  const auto errors = static_cast<size_t>(
      std::count_if(problems.begin(), problems.end(),
                    [](const Problem& problem) { return problem.severity == Severity::error; }));
  const size_t warnings = problems.size() - errors;
  if (warnings == 0) return counted(errors, "error");
  if (errors == 0) return counted(warnings, "warning");
  return fmt::format("{}, {}", counted(errors, "error"), counted(warnings, "warning"));
}

std::string render_problems(std::string_view file_name, std::string_view text,
                            std::span<const Problem> problems) {
  if (problems.empty()) return "";
  const std::string_view body = without_byte_order_mark(text);
  std::string out;
  for (const Problem& problem : problems) {
    out += file_name;
    if (problem.line > 0) out += fmt::format(":{}:{}", problem.line, problem.column);
    out += fmt::format(": {}: {}\n", problem.severity == Severity::error ? "error" : "warning",
                       problem.message);
    if (problem.line > 0) out += render_line(body, problem);
  }
  return out + count_problems(problems) + "\n";
}

}  // namespace sluice
