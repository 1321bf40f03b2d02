#include "sluice/config/reader.h"

#include <fmt/format.h>

#include "document.h"
#include "problems.h"
#include "read_rows.h"
#include "text.h"
#include "transforms.h"
#include "validate.h"

namespace sluice {
namespace {

constexpr std::string_view kSmallestFile =
    "the file is empty; the smallest useful one is\n"
    "  listeners:\n"
    "    - {name: web, address: 0.0.0.0:8080, cluster: web}\n"
    "  clusters:\n"
    "    - name: web\n"
    "      backends: [10.0.0.1:80, 10.0.0.2:80]";

// The tree of the text, or nothing after a problem.
Node* read_tree(std::string_view text, Document& document, Problems& problems) {
  if (!check_text(text, problems)) return nullptr;
  const auto root = parse_yaml(text, Place::file(), document, problems);
  if (problems.has_errors() && !root) return nullptr;
  if (!root || (*root)->kind == Node::Kind::null) {
    problems.error(Place::file(), std::string(kSmallestFile));
    return nullptr;
  }
  if ((*root)->kind != Node::Kind::map) {
    problems.error((*root)->place,
                   fmt::format("expected settings as in 'listeners:', not {}", describe(**root)));
    return nullptr;
  }
  return *root;
}

Config read_settings(std::string_view text, const Environment& environment,
                     std::span<const Override> overrides, Problems& problems) {
  Config config;
  Document document;
  Node* root = read_tree(text, document, problems);
  if (root == nullptr) return config;
  document.set_root(root);
  apply_overrides(overrides, document, problems);
  substitute_variables(environment, document, problems);
  Places places;
  Reading reading{.problems = problems, .places = places, .path = {}, .owner = {}, .key = {}};
  read_rows(config_table(), "", *root, config, reading);
  validate(config, places, problems);
  return config;
}

}  // namespace

ReadResult read_config(std::string_view text, const Environment& environment,
                       std::span<const Override> overrides) {
  const std::string_view body = without_byte_order_mark(text);
  Problems problems(body, overrides);
  Config config = read_settings(body, environment, overrides, problems);
  ReadResult result;
  if (!problems.has_errors()) result.config = std::move(config);
  result.problems = problems.take();
  return result;
}

}  // namespace sluice
