// One message as it came: who to whom, and its body. Read by simdjson's DOM parser, because that
// one looks at everything and refuses what is malformed.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"

namespace sluice {

// A longer name is nobody's; it would be kept for each request under way and said in each answer.
inline constexpr size_t kNameBytesMax = 1024;

// A member of a body.
struct BodyField {
  std::string_view key;
  simdjson::dom::element value;
  std::string_view text;  // the value as it was written, white space included
};

// Borrowed from its parser until that is used again.
struct Message {
  std::string_view source;
  std::string_view destination;
  std::optional<std::string_view> type;  // nothing: missing or no string
  std::optional<int64_t> msg_id;
  bool is_reply = false;               // it has an in_reply_to
  std::optional<int64_t> in_reply_to;  // nothing too when that is no integer: then it is nobody's
  std::span<const BodyField> body;

  // The first one, if a key is there twice.
  const BodyField* find(std::string_view key) const;
  std::optional<std::string_view> string(std::string_view key) const;
  std::optional<int64_t> integer(std::string_view key) const;
};

class MessageParser {
 public:
  // More members in a body are refused: nothing sensible has them, and each costs memory.
  static constexpr size_t kBodyFieldsMax = 1024;

  // What is not JSON, not a message, or numbered by something else than a 64-bit integer is an
  // error in words for stderr: nobody could be answered. Nesting deeper than
  // simdjson::DEFAULT_MAX_DEPTH (1024) is refused.
  Result<Message> parse(std::string_view text);

  // Whether it is JSON with a source, a destination and a body.
  bool is_message(std::string_view text) { return parse(text).has_value(); }

 private:
  Result<simdjson::dom::object> parse_object(std::string_view text);
  Result<void> read_body(const simdjson::dom::object& body, size_t position);

  std::string buffer_;  // the text, with the padding simdjson wants behind it
  simdjson::dom::parser values_;
  simdjson::ondemand::parser texts_;
  std::vector<BodyField> fields_;
};

// Appends a JSON text without the white space between its tokens.
void append_minified(std::string& out, std::string_view json);

}  // namespace sluice
