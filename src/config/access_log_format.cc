#include "sluice/config/access_log_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "suggest.h"
#include "text.h"

namespace sluice {
namespace {

constexpr std::array<std::string_view, 2> kFormatNames = {"text", "json"};

std::optional<AccessField> find_field(std::string_view name) {
  const auto found = std::find(kAccessFieldNames.begin(), kAccessFieldNames.end(), name);
  if (found == kAccessFieldNames.end()) return std::nullopt;
  return static_cast<AccessField>(found - kAccessFieldNames.begin());
}

// One walk over a template.
class Compiler {
 public:
  Compiler(std::string_view source, std::vector<AccessLogFormat::Problem>& problems)
      : source_(source), problems_(problems) {}

  std::vector<AccessLogFormat::Piece> run();

 private:
  void complain(size_t offset, size_t bytes, std::string message) {
    problems_.push_back({offset, bytes, std::move(message)});
  }
  // What begins with the percent sign at `at`; returns where it ends.
  size_t read_percent(size_t at);
  void add_field(size_t at, std::string_view name);

  const std::string_view source_;
  std::vector<AccessLogFormat::Problem>& problems_;
  std::vector<AccessLogFormat::Piece> pieces_;
  std::string text_;  // since the last field
};

void Compiler::add_field(size_t at, std::string_view name) {
  if (name.empty()) return complain(at - 2, 3, "'%{}' names no field");
  const auto field = find_field(name);
  if (!field) {
    return complain(at, name.size(),
                    fmt::format("there is no field '{}'{}", excerpt(name),
                                did_you_mean(name, kAccessFieldNames)));
  }
  pieces_.push_back({std::exchange(text_, {}), field});
}

size_t Compiler::read_percent(size_t at) {
  constexpr size_t kMarkBytes = 2;  // %{ and %%
  const std::string_view rest = source_.substr(at);
  if (rest.starts_with("%%")) {
    text_ += '%';
    return at + kMarkBytes;
  }
  if (!rest.starts_with("%{")) {
    complain(at, 1, "'%' begins a field, as in %{client}; a percent sign itself is %%");
    return at + 1;
  }
  const size_t end = rest.find('}');
  if (end == std::string_view::npos) {
    complain(at, rest.size(), "'%{' begins a field, and the '}' that ends it is missing");
    return source_.size();
  }
  add_field(at + kMarkBytes, rest.substr(kMarkBytes, end - kMarkBytes));
  return at + end + 1;
}

std::vector<AccessLogFormat::Piece> Compiler::run() {
  for (size_t at = 0; at < source_.size();) {
    const char c = source_[at];
    if (c == '%') {
      at = read_percent(at);
      continue;
    }
    const bool is_control = (c >= 0 && c < ' ' && c != '\t') || c == '\x7F';
    if (is_control) {
      complain(at, 1, "a line break or another control character: a session is one line");
    }
    text_ += c;
    ++at;
  }
  if (pieces_.empty() && problems_.empty()) {
    complain(0, source_.size(), "a template without a field, as %{client} is one");
  }
  if (!text_.empty()) pieces_.push_back({std::move(text_), std::nullopt});
  return std::move(pieces_);
}

}  // namespace

AccessLogFormat AccessLogFormat::json() {
  AccessLogFormat format;
  format.kind_ = Kind::json;
  format.source_ = "json";
  return format;
}

AccessLogFormat AccessLogFormat::compile(std::string_view text, std::vector<Problem>& problems) {
  if (text == "text") return AccessLogFormat::text();
  if (text == "json") return json();
  AccessLogFormat format;
  format.kind_ = Kind::custom;
  format.source_ = text;
  if (text.find('%') == std::string_view::npos) {
    problems.push_back(
        {0, text.size(),
         fmt::format("expected text, json or a template with fields as %{{client}}, not '{}'{}",
                     excerpt(text), did_you_mean(text, kFormatNames))});
  } else {
    format.pieces_ = Compiler(text, problems).run();
  }
  return format;
}

}  // namespace sluice
