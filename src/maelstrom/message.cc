#include "maelstrom/message.h"

#include <fmt/format.h>

#include <algorithm>

#include "maelstrom/large_numbers.h"

namespace sluice {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

std::optional<std::string_view> string_of(const object& members, std::string_view key) {
  std::string_view value;
  if (members.at_key(key).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::string why_not_json(simdjson::error_code error) {
  if (error == simdjson::DEPTH_ERROR) {
    return fmt::format("nested deeper than {}", simdjson::DEFAULT_MAX_DEPTH);
  }
  return fmt::format("not JSON: {}", simdjson::error_message(error));
}

// Where in the object the first member of that name is.
std::optional<size_t> position_of(const object& members, std::string_view key) {
  size_t position = 0;
  for (const auto& member : members) {
    if (member.key == key) return position;
    ++position;
  }
  return std::nullopt;
}

// The object that the member at `position` of the document holds.
simdjson::simdjson_result<simdjson::ondemand::object> object_at(
    simdjson::ondemand::document& document, size_t position) {
  simdjson::ondemand::object members;
  if (const auto error = document.get_object().get(members)) return error;
  for (auto member : members) {
    if (position == 0) return member.value().get_object();
    --position;
  }
  return simdjson::NO_SUCH_FIELD;
}

}  // namespace

const BodyField* Message::find(std::string_view key) const {
  const auto found = std::ranges::find(body, key, &BodyField::key);
  return found == body.end() ? nullptr : &*found;
}

std::optional<std::string_view> Message::string(std::string_view key) const {
  const BodyField* field = find(key);
  std::string_view value;
  if (field == nullptr || field->value.get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<int64_t> Message::integer(std::string_view key) const {
  const BodyField* field = find(key);
  int64_t value = 0;
  if (field == nullptr || field->value.get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

Result<Message> MessageParser::parse(std::string_view text) {
  const auto members = parse_object(text);
  if (!members) return tl::unexpected(members.error());
  const auto source = string_of(*members, "src");
  const auto destination = string_of(*members, "dest");
  object body;
  if (!source || !destination || members->at_key("body").get(body) != simdjson::SUCCESS) {
    return failure("no message: it needs the strings 'src' and 'dest' and the object 'body'");
  }
  if (const auto read = read_body(body, *position_of(*members, "body")); !read) {
    return tl::unexpected(read.error());
  }
  Message message;
  message.source = *source;
  message.destination = *destination;
  message.body = fields_;
  message.type = message.string("type");
  if (const BodyField* number = message.find("msg_id"); number && !number->value.is_null()) {
    int64_t msg_id = 0;
    if (number->value.get(msg_id) != simdjson::SUCCESS) {
      return failure("its msg_id is no 64-bit integer, so it cannot be answered");
    }
    message.msg_id = msg_id;
  }
  const BodyField* replied_to = message.find("in_reply_to");
  message.is_reply = replied_to != nullptr && !replied_to->value.is_null();
  if (int64_t number = 0; message.is_reply && replied_to->value.get(number) == simdjson::SUCCESS) {
    message.in_reply_to = number;
  }
  return message;
}

Result<object> MessageParser::parse_object(std::string_view text) {
  buffer_.resize(text.size() + simdjson::SIMDJSON_PADDING);
  std::ranges::copy(text, buffer_.begin());
  constexpr bool kHasPadding = false;  // false: no copy is made, the padding is there
  element root;
  auto error = values_.parse(buffer_.data(), text.size(), kHasPadding).get(root);
  if (error != simdjson::SUCCESS && replace_large_numbers(std::span(buffer_).first(text.size()))) {
    error = values_.parse(buffer_.data(), text.size(), kHasPadding).get(root);
    std::ranges::copy(text, buffer_.begin());
  }
  if (error != simdjson::SUCCESS) return failure(why_not_json(error));
  object members;
  if (root.get(members) != simdjson::SUCCESS) return failure("no message: it is no object");
  return members;
}

// The DOM keeps no text, so the same members are walked through a second time, by the parser that
// does. It would not notice what is malformed, but the DOM parser has.
Result<void> MessageParser::read_body(const object& body, size_t position) {
  fields_.clear();
  if (body.size() > kBodyFieldsMax) {
    return failure(fmt::format("no message: its body has more than {} members", kBodyFieldsMax));
  }
  const size_t length = buffer_.size() - simdjson::SIMDJSON_PADDING;
  simdjson::ondemand::document document;
  simdjson::ondemand::object texts;
  auto error = texts_.iterate(buffer_.data(), length, buffer_.size()).get(document);
  if (error == simdjson::SUCCESS) error = object_at(document, position).get(texts);
  if (error != simdjson::SUCCESS) return failure(why_not_json(error));
  auto value = body.begin();
  for (auto member : texts) {
    std::string_view text;
    error = simdjson::to_json_string(member.value()).get(text);
    if (error != simdjson::SUCCESS) return failure(why_not_json(error));
    fields_.push_back({.key = value.key(), .value = value.value(), .text = text});
    ++value;
  }
  return {};
}

void append_minified(std::string& out, std::string_view json) {
  // simdjson's minifier writes whole blocks, so it wants as much room as for its input, and some.
  std::string minified(json.size() + simdjson::SIMDJSON_PADDING, '\0');
  size_t length = 0;
  const auto error = simdjson::minify(json.data(), json.size(), minified.data(), length);
  out += error == simdjson::SUCCESS ? std::string_view(minified).substr(0, length) : json;
}

}  // namespace sluice
