#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "suggest.h"
#include "text.h"
#include "transforms.h"

namespace sluice {
namespace {

// What a list's member is called by: its name, else its address, else itself.
std::string_view name_of(const Node& member) {
  if (member.is_scalar()) return member.text;
  for (const std::string_view key : {"name", "address"}) {
    const Node* value = member.find(key);
    if (value != nullptr && value->is_scalar()) return value->text;
  }
  return "";
}

// One override on its way down. Nodes on the way are replaced by copies, since an alias may share
// them with a place that is not meant.
class Descent {
 public:
  Descent(const Override& given, size_t number, Document& document, Problems& problems)
      : rest_(given.path),
        place_(Place::in_override(number)),
        document_(document),
        problems_(problems) {}

  void put(Node* value);

 private:
  // The child that the next part of the path names, made when it is missing; null after a problem.
  Node::Entry* step(Node& node);
  Node::Entry* step_into_map(Node& map);
  Node::Entry* step_into_list(Node& list);
  std::string_view take(size_t length);
  Node::Entry* fail(std::string message);

  std::string_view rest_;
  const Place place_;
  Document& document_;
  Problems& problems_;
};

Node::Entry* Descent::fail(std::string message) {
  problems_.error(place_, std::move(message));
  return nullptr;
}

// The next `length` bytes of the path; the dot after them goes too.
std::string_view Descent::take(size_t length) {
  const std::string_view part = rest_.substr(0, length);
  rest_.remove_prefix(std::min(length + 1, rest_.size()));
  return part;
}

Node::Entry* Descent::step_into_map(Node& map) {
  const std::string key(take(std::min(rest_.find('.'), rest_.size())));
  if (key.empty()) return fail("a path is made of settings with dots between them");
  for (Node::Entry& entry : map.entries) {
    if (entry.key == key) return &entry;
  }
  Node* made = document_.add({.kind = Node::Kind::map, .place = place_});
  return &map.entries.emplace_back(Node::Entry{key, place_, made});
}

// A name may hold dots itself, so the longest one that the path goes on with is meant.
Node::Entry* Descent::step_into_list(Node& list) {
  Node::Entry* best = nullptr;
  size_t best_size = 0;
  std::vector<std::string_view> names;
  for (size_t i = 0; i < list.entries.size(); ++i) {
    const std::string index = fmt::format("{}", i);
    names.push_back(name_of(*list.entries[i].value));
    for (const std::string_view name : {names.back(), std::string_view(index)}) {
      const bool is_next = !name.empty() && rest_.starts_with(name) &&
                           (rest_.size() == name.size() || rest_[name.size()] == '.');
      if (!is_next || name.size() <= best_size) continue;
      best = &list.entries[i];
      best_size = name.size();
    }
  }
  if (best == nullptr) {
    const std::string_view missing = rest_.substr(0, rest_.find('.'));
    return fail(fmt::format("nothing is called '{}' there{}", excerpt(missing),
                            did_you_mean(missing, names)));
  }
  take(best_size);
  return best;
}

Node::Entry* Descent::step(Node& node) {
  if (node.kind == Node::Kind::map) return step_into_map(node);
  if (node.kind == Node::Kind::list) return step_into_list(node);
  return fail(
      fmt::format("{} is what the file has there, and '{}' would be inside it; "
                  "give it as a map: {{...}}",
                  describe(node), excerpt(rest_)));
}

void Descent::put(Node* value) {
  Node* node = document_.root();
  for (size_t depth = 0; depth < kDepthMax; ++depth) {
    Node::Entry* entry = step(*node);
    if (entry == nullptr) return;
    if (rest_.empty()) {
      entry->value = value;
      entry->key_place = place_;
      return;
    }
    entry->value = document_.add(*entry->value);
    node = entry->value;
  }
  fail(fmt::format("nested more than {} levels deep", kDepthMax));
}

// A list or map is read as YAML; all else is the text as it is, an IPv6 address too: a shell has
// already taken the quotes that one needs in YAML.
std::optional<Node*> parse_value(const Override& given, const Place& place, Document& document,
                                 Problems& problems) {
  const bool is_collection = given.value.starts_with('[') || given.value.starts_with('{');
  if (is_collection && !Address::parse(given.value)) {
    return parse_yaml(given.value, place, document, problems);
  }
  return document.add({.kind = Node::Kind::scalar, .place = place, .text = given.value});
}

}  // namespace

void apply_overrides(std::span<const Override> overrides, Document& document, Problems& problems) {
  for (size_t i = 0; i < overrides.size(); ++i) {
    const Place place = Place::in_override(i);
    if (overrides[i].path.empty()) {
      problems.error(place, "no setting is named: write PATH=VALUE");
      continue;
    }
    const bool is_readable = overrides[i].value.size() <= kConfigBytesMax &&
                             !find_invalid_utf8(overrides[i].value) &&
                             !find_invalid_utf8(overrides[i].path);
    if (!is_readable) {
      problems.error(place, "the value is not UTF-8, or too long");
      continue;
    }
    const auto value = parse_value(overrides[i], place, document, problems);
    if (value) Descent(overrides[i], i, document, problems).put(*value);
  }
}

}  // namespace sluice
