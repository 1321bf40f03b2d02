// Writing JSON text (RFC 8259). Reading is simdjson's business.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

// Appends `text` as a JSON string with its quotes. Control characters are escaped; bytes that are
// not UTF-8 become U+FFFD, so the result is always valid JSON.
void append_json_string(std::string& out, std::string_view text);

// Appends one JSON value to a text, piece by piece; it knows where a comma belongs and what must be
// quoted. Whoever uses it closes what was begun and gives each member of an object its key.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }
  void key(std::string_view name);

  void null() { append("null"); }
  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  void value(const std::string& text) { value(std::string_view(text)); }
  void value(double number);  // JSON has no infinity and no NaN: those become null
  template <std::integral T>
  void value(T number) {
    if constexpr (std::same_as<T, bool>) {
      append(number ? "true" : "false");
    } else if constexpr (std::signed_integral<T>) {
      append_number(static_cast<int64_t>(number));
    } else {
      append_number(static_cast<uint64_t>(number));
    }
  }
  template <typename T>
  void value(const std::optional<T>& maybe) {
    if (maybe) {
      value(*maybe);
    } else {
      null();
    }
  }
  // JSON that is valid already.
  void raw(std::string_view json) { append(json); }

  template <typename T>
  void member(std::string_view name, const T& member_value) {
    key(name);
    value(member_value);
  }

 private:
  void begin(char bracket);
  void end(char bracket);
  void append(std::string_view json);
  void append_number(int64_t number);
  void append_number(uint64_t number);
  void separate();

  std::string& out_;
  bool needs_comma_ = false;
};

}  // namespace sluice
