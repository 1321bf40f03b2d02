#include "document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <map>
#include <sstream>
#include <utility>

#include "syntax_error.h"
#include "text.h"

namespace sluice {
namespace {

// Why the events are not gone on with. Thrown through yaml-cpp, which has no other way to stop.
struct Refusal {
  Place place;
  std::string message;
};

// Builds the tree out of yaml-cpp's events.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, const Place& origin, Document& document, Problems& problems)
      : text_(text), origin_(origin), document_(document), problems_(problems) {}

  Node* root() const { return root_; }
  // Where the text was when the last event came.
  size_t last_offset() const { return last_offset_; }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(Node::Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(Node::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node* node;
    YAML::anchor_t anchor;
    size_t nodes_before;
    bool has_key = false;
    bool key_is_duplicate = false;
    std::string key;
    Place key_place;
    std::map<std::string, Place, std::less<>> keys;
  };
  struct Anchored {
    Node* node = nullptr;
    size_t nodes = 0;  // with all it holds
  };

  size_t offset_of(const YAML::Mark& mark);
  Place place_at(size_t offset, size_t bytes = 0) const;
  void count_nodes(size_t more, const Place& place);
  void check_tag(const std::string& tag, const Place& place) const;
  void check_closing_quote(size_t offset) const;
  bool expects_key() const;
  void take_key(const std::string& key, const Place& place);
  void attach(Node* node);
  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor);
  void close();

  const std::string_view text_;
  const Place origin_;
  Document& document_;
  Problems& problems_;
  Node* root_ = nullptr;
  size_t last_offset_ = 0;
  size_t documents_ = 0;
  size_t nodes_ = 0;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
};

// Marks count bytes of the UTF-8 text.
size_t TreeBuilder::offset_of(const YAML::Mark& mark) {
  last_offset_ = std::min(static_cast<size_t>(std::max(mark.pos, 0)), text_.size());
  return last_offset_;
}

Place TreeBuilder::place_at(size_t offset, size_t bytes) const {
  return origin_.origin == Place::Origin::file ? Place::in_text(offset, bytes) : origin_;
}

void TreeBuilder::count_nodes(size_t more, const Place& place) {
  nodes_ += more;
  if (nodes_ > kNodesMax) {
    throw Refusal{place, fmt::format("more than {} keys and values, counting what aliases repeat",
                                     kNodesMax)};
  }
}

// "?" is a plain scalar or a collection without a tag, "!" one in quotes.
void TreeBuilder::check_tag(const std::string& tag, const Place& place) const {
  if (tag.empty() || tag == "?" || tag == "!") return;
  throw Refusal{place, "YAML tags have no use here: write the value alone"};
}

// yaml-cpp takes the end of the text for the closing quote when it is at the beginning of a line.
void TreeBuilder::check_closing_quote(size_t offset) const {
  while (offset < text_.size() && (text_[offset] == '&' || text_[offset] == '!')) {
    offset = std::min(text_.find_first_of(" \t\r\n", offset), text_.size());
    offset = std::min(text_.find_first_not_of(" \t\r\n", offset), text_.size());
  }
  if (offset == text_.size() || (text_[offset] != '"' && text_[offset] != '\'')) return;
  if (quoted_length(text_.substr(offset))) return;
  throw Refusal{place_at(offset, 1), std::string(kUnclosedQuote)};
}

bool TreeBuilder::expects_key() const {
  return !frames_.empty() && frames_.back().node->kind == Node::Kind::map &&
         !frames_.back().has_key;
}

void TreeBuilder::take_key(const std::string& key, const Place& place) {
  Frame& frame = frames_.back();
  const auto [first, is_new] = frame.keys.emplace(key, place);
  frame.has_key = true;
  frame.key_is_duplicate = !is_new;
  frame.key = key;
  frame.key_place = place;
  if (is_new) return;
  const int line = problems_.line_of(first->second);
  problems_.error(place, fmt::format("'{}' is given twice{}", excerpt(key),
                                     line == 0 ? "" : fmt::format("; first on line {}", line)));
}

// Puts a finished or just opened node where it belongs.
void TreeBuilder::attach(Node* node) {
  if (frames_.empty()) {
    root_ = node;
    return;
  }
  Frame& frame = frames_.back();
  if (!std::exchange(frame.key_is_duplicate, false)) {
    frame.node->entries.push_back({std::move(frame.key), frame.key_place, node});
  }
  frame.key.clear();
  frame.has_key = false;
}

void TreeBuilder::OnDocumentStart(const YAML::Mark& mark) {
  const Place place = place_at(offset_of(mark), 3);
  if (++documents_ > 1) throw Refusal{place, "a second document begins here; a file holds one"};
}

bool is_null_word(std::string_view text) {
  const auto begins_with = [text](std::string_view word) { return text.starts_with(word); };
  return begins_with("~") || begins_with("null") || begins_with("Null") || begins_with("NULL");
}

void TreeBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const size_t offset = offset_of(mark);
  const bool is_written = is_null_word(text_.substr(offset));
  // Of a value that is not there the mark is wherever the next thing begins.
  const bool is_missing = !is_written && !frames_.empty() && frames_.back().has_key;
  const Place place = is_missing ? frames_.back().key_place : place_at(offset);
  count_nodes(1, place);
  if (expects_key()) throw Refusal{place, "a key is missing before the ':'"};
  Node* node = document_.add({.place = place});
  if (anchor != YAML::NullAnchor) anchors_[anchor] = {node, 1};
  attach(node);
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const Place place = place_at(offset_of(mark));
  if (expects_key()) throw Refusal{place, "an alias cannot be a key"};
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) throw Refusal{place, "an alias cannot stand inside what it names"};
  count_nodes(found->second.nodes, place);
  attach(found->second.node);
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  const size_t offset = offset_of(mark);
  const bool is_as_written = !value.empty() && text_.substr(offset).starts_with(value);
  const Place place = place_at(offset, is_as_written ? value.size() : 0);
  count_nodes(1, place);
  check_tag(tag, place);
  if (tag == "!") check_closing_quote(offset);
  if (expects_key()) {
    if (anchor != YAML::NullAnchor) throw Refusal{place, "an anchor cannot be on a key"};
    take_key(value, place);
    return;
  }
  Node* node = document_.add({.kind = Node::Kind::scalar, .place = place, .text = value});
  if (anchor != YAML::NullAnchor) anchors_[anchor] = {node, 1};
  attach(node);
}

void TreeBuilder::open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor) {
  const Place place = place_at(offset_of(mark));
  check_tag(tag, place);
  if (frames_.size() >= kDepthMax) {
    throw Refusal{place, fmt::format("nested more than {} levels deep", kDepthMax)};
  }
  if (expects_key()) {
    throw YAML::ParserException(mark, std::string(kCollectionAsKey));
  }
  const size_t nodes_before = nodes_;
  count_nodes(1, place);
  Node* node = document_.add({.kind = kind, .place = place});
  attach(node);
  frames_.push_back({.node = node,
                     .anchor = anchor,
                     .nodes_before = nodes_before,
                     .key = {},
                     .key_place = {},
                     .keys = {}});
}

void TreeBuilder::close() {
  const Frame& frame = frames_.back();
  if (frame.anchor != YAML::NullAnchor) {
    anchors_[frame.anchor] = {frame.node, nodes_ - frame.nodes_before};
  }
  frames_.pop_back();
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : found->value;
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return fmt::format("'{}'", excerpt(node.text));
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return {};
}

std::optional<Node*> parse_yaml(std::string_view text, const Place& origin, Document& document,
                                Problems& problems) {
  TreeBuilder builder(text, origin, document, problems);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    if (builder.root() == nullptr) return std::nullopt;
    return builder.root();
  } catch (const Refusal& refusal) {
    problems.error(refusal.place, refusal.message);
  } catch (const YAML::Exception& exception) {
    const SyntaxError error =
        explain_syntax_error({.text = text,
                              .offset = static_cast<size_t>(std::max(exception.mark.pos, 0)),
                              .message = exception.msg,
                              .last_offset = builder.last_offset()});
    const bool is_in_text = origin.origin == Place::Origin::file;
    problems.error(is_in_text ? Place::in_text(error.offset, error.bytes) : origin, error.message);
  } catch (const std::exception& exception) {
    // yaml-cpp's own number and string conversions throw the standard library's types.
    problems.error(origin, fmt::format("not YAML: {}", exception.what()));
  }
  return std::nullopt;
}

}  // namespace sluice
