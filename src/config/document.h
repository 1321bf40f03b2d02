// YAML text as a tree of our own, with places. yaml-cpp only scans and parses, event by event: its
// node type keeps duplicate keys silently, reads `010` as 8 and costs more memory than a hostile
// text should get. Here every scalar is the text as written, every bound has a name, and aliases
// share the node they name.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "problems.h"

namespace sluice {

// A configuration is five levels deep.
constexpr size_t kDepthMax = 32;
// Keys and values, those behind an alias counted each time.
constexpr size_t kNodesMax = 300'000;
// Brackets, braces, commas, anchors, tags and a quarter of the quotes. yaml-cpp keeps all tokens of
// a flow collection in memory, about 250 bytes for each of these.
constexpr size_t kFlowMarksMax = 250'000;

struct Node {
  enum class Kind : uint8_t { null, scalar, list, map };

  struct Entry {
    std::string key;  // empty in a list
    Place key_place;
    Node* value = nullptr;  // owned by the Document
  };

  Kind kind = Kind::null;
  bool is_broken = false;  // has been complained of; its text means nothing
  Place place;
  std::string text{};            // of a scalar
  std::vector<Entry> entries{};  // of a list or map, in the order of the text

  bool is_scalar() const { return kind == Kind::scalar; }
  const Node* find(std::string_view key) const;
};

// What the node is, for a message: `a list`, `nothing`, `'text'`.
std::string describe(const Node& node);

class Document {
 public:
  Node* add(Node node) { return &nodes_.emplace_back(std::move(node)); }

  Node* root() const { return root_; }
  void set_root(Node* root) { root_ = root; }

  // Every node, reachable or not, each once.
  std::deque<Node>& nodes() { return nodes_; }

 private:
  std::deque<Node> nodes_;  // never moves its members
  Node* root_ = nullptr;
};

// Refuses what is no text of ours, without parsing: too long, not UTF-8, control characters.
bool check_text(std::string_view text, Problems& problems);

// Appends the tree of `text` to `document` and returns its root, or nothing when it is empty or the
// syntax is wrong; in the second case `problems` says so. Every place is `origin`, or in the text
// when that is Place::file().
std::optional<Node*> parse_yaml(std::string_view text, const Place& origin, Document& document,
                                Problems& problems);

}  // namespace sluice
