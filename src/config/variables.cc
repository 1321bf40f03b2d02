#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "text.h"
#include "transforms.h"

namespace sluice {
namespace {

// Of everything that variables were replaced by: a short text can name a long variable often.
constexpr size_t kReplacedBytesMax = size_t{1} << 20U;

bool is_name(std::string_view name) {
  const auto is_allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  const bool begins_with_digit = !name.empty() && name.front() >= '0' && name.front() <= '9';
  return !name.empty() && !begins_with_digit && std::all_of(name.begin(), name.end(), is_allowed);
}

class Substitution {
 public:
  Substitution(const Environment& environment, Problems& problems)
      : environment_(environment), problems_(problems) {}

  void apply(Node& node);

 private:
  // A variable in a node's text: the number of dollars before it, and its length.
  struct Occurrence {
    const Node& node;
    size_t dollars_before;
    size_t bytes;
  };

  // A value and its source have the same dollars in the same order, whatever quotes and escapes are
  // between them. Takes time, so only for a problem.
  Place place_of(const Occurrence& occurrence) const;
  std::optional<std::string> value_of(std::string_view inside, const Occurrence& occurrence);

  const Environment& environment_;
  Problems& problems_;
  size_t replaced_bytes_ = 0;
};

Place Substitution::place_of(const Occurrence& occurrence) const {
  const Place& begin = occurrence.node.place;
  if (begin.origin != Place::Origin::text) return begin;
  size_t at = problems_.text().find('$', begin.index);
  for (size_t i = 0; i < occurrence.dollars_before && at != std::string_view::npos; ++i) {
    at = problems_.text().find('$', at + 1);
  }
  return at == std::string_view::npos ? begin : Place::in_text(at, occurrence.bytes);
}

// What stands for `NAME` or `NAME:-default`.
std::optional<std::string> Substitution::value_of(std::string_view inside,
                                                  const Occurrence& occurrence) {
  const size_t colon = inside.find(":-");
  const std::string_view name = inside.substr(0, colon);
  if (!is_name(name)) {
    problems_.error(place_of(occurrence),
                    fmt::format("'{}' is not the name of a variable", excerpt(name)));
    return std::nullopt;
  }
  std::optional<std::string> value = environment_ ? environment_(name) : std::nullopt;
  if (colon != std::string_view::npos && (!value || value->empty())) {
    value = std::string(inside.substr(colon + 2));
  }
  if (!value) {
    problems_.error(place_of(occurrence),
                    fmt::format("the environment variable '{0}' is not set; ${{{0}:-default}} "
                                "gives it a default",
                                excerpt(name)));
  } else if (find_invalid_utf8(*value)) {
    problems_.error(place_of(occurrence),
                    fmt::format("the environment variable '{}' is not UTF-8", excerpt(name)));
    value.reset();
  }
  return value;
}

void Substitution::apply(Node& node) {
  node.is_broken = true;  // until all of it is replaced
  const std::string_view text = node.text;
  std::string out;
  size_t dollars = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t dollar = std::min(text.find('$', at), text.size());
    out += text.substr(at, dollar - at);
    if (dollar == text.size()) break;
    const std::string_view rest = text.substr(dollar);
    if (rest.starts_with("$$")) {
      out += '$';
      dollars += 2;
      at = dollar + 2;
      continue;
    }
    const size_t end = rest.find('}');
    if (!rest.starts_with("${") || end == std::string_view::npos) {
      problems_.error(place_of({node, dollars, 1}),
                      "'$' begins a variable, as in ${NAME}; a dollar itself is $$");
      return;
    }
    const std::string_view variable = rest.substr(0, end + 1);
    const Occurrence occurrence{node, dollars, variable.size()};
    const auto value = value_of(variable.substr(2, variable.size() - 3), occurrence);
    if (!value) return;
    replaced_bytes_ += value->size();
    if (replaced_bytes_ > kReplacedBytesMax) {
      return problems_.error(
          place_of(occurrence),
          fmt::format("variables stand for more than {} bytes in all", kReplacedBytesMax));
    }
    out += *value;
    dollars += static_cast<size_t>(std::count(variable.begin(), variable.end(), '$'));
    at = dollar + variable.size();
  }
  node.is_broken = false;
  node.text = std::move(out);
}

}  // namespace

void substitute_variables(const Environment& environment, Document& document, Problems& problems) {
  Substitution substitution(environment, problems);
  for (Node& node : document.nodes()) {
    if (node.is_scalar() && node.text.find('$') != std::string::npos) substitution.apply(node);
  }
}

}  // namespace sluice
