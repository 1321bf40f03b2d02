// How a line of the access log looks: `text`, `json`, or a template, compiled once:
//
//   %{client} -> %{backend} in %{duration_ms} ms, 100%% %{reason}
//
// A field is %{NAME}, a percent sign itself %%. (Braces alone are nothing, so that a template may
// be JSON, and a dollar begins a variable of the environment.) An immutable value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

enum class AccessField : uint8_t {
  time,
  listener,
  client,
  cluster,
  backend,
  attempts,
  received,
  sent,
  connect_ms,
  duration_ms,
  reason,
  policy,       // these three: why the last attempt went to that backend
  trial,        // true or false
  passed_over,  // breaker:2,health:1
};

inline constexpr std::array<std::string_view, 14> kAccessFieldNames = {
    "time", "listener",   "client",      "cluster", "backend", "attempts", "received",
    "sent", "connect_ms", "duration_ms", "reason",  "policy",  "trial",    "passed_over"};

class AccessLogFormat {
 public:
  enum class Kind : uint8_t { text, json, custom };

  // A part of a template: text, then perhaps a field.
  struct Piece {
    std::string text;
    std::optional<AccessField> field;

    friend bool operator==(const Piece&, const Piece&) = default;
  };

  // What is wrong with a template, and which bytes of it.
  struct Problem {
    size_t offset = 0;
    size_t bytes = 0;
    std::string message;
  };

  AccessLogFormat() = default;
  static AccessLogFormat text() { return {}; }
  static AccessLogFormat json();
  // Of any text, as in the configuration. With a problem the result means nothing.
  static AccessLogFormat compile(std::string_view text, std::vector<Problem>& problems);

  Kind kind() const { return kind_; }
  // As it was given to compile().
  const std::string& source() const { return source_; }
  const std::vector<Piece>& pieces() const { return pieces_; }

 private:
  Kind kind_ = Kind::text;
  std::string source_ = "text";
  std::vector<Piece> pieces_;  // of a template
};

}  // namespace sluice
